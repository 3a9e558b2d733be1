/**
 * Builds backends in a process of its own, which stays warm: a small backend is built again in 0.2 s (`fast`) or
 * 0.5 s (`full`) instead of 2 s. A compiler that crashes, runs out of memory or never ends takes nothing with it: the build is rejected, and
 * the next one gets a new process. Runs one build at a time, in the order of the calls.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { OnusError } from '@onus/protocol/errors'
import type { BuildOptions, BuiltBackend } from './build.js'
import type { BuildReply, BuildRequest } from './buildMessages.js'
import { BuildError } from './transform/problems.js'

export interface BuildServiceOptions {
  /** Milliseconds after which a build is given up and its process ended; 120,000 if left out. */
  readonly timeLimit?: number
  /** MiB of JavaScript memory of the compiler process; 2,048 if left out. */
  readonly memoryLimit?: number
}

interface Waiting {
  readonly request: BuildRequest
  readonly resolve: (built: BuiltBackend) => void
  readonly reject: (error: OnusError) => void
}

const processFile = fileURLToPath(new URL('./buildProcess.js', import.meta.url))

export class BuildService {
  private readonly timeLimit: number
  private readonly memoryLimit: number
  private process: ChildProcess | null = null
  /** The first one is being built. */
  private readonly queue: Waiting[] = []
  private timer: NodeJS.Timeout | undefined
  private nextId = 0
  private isClosed = false

  /** Starts the compiler process, so that it is loaded by the time of the first build. */
  constructor({ timeLimit = 120_000, memoryLimit = 2_048 }: BuildServiceOptions = {}) {
    this.timeLimit = timeLimit
    this.memoryLimit = memoryLimit
    this.process = this.start()
  }

  /** Of the compiler process that builds now or will build next; undefined if the next build starts one. */
  get processId(): number | undefined {
    return this.process?.pid
  }

  /**
   * As `buildBackend`. Rejects `BuildError` with file, line and column (`build-interface`, `build-source`,
   * `build-import`; `build-compiler` too when the compiler crashed or took too long), `build-closed` after `close`.
   */
  build(options: BuildOptions): Promise<BuiltBackend> {
    if (this.isClosed) return Promise.reject(new OnusError('build-closed', 'the build service is closed'))
    return new Promise((resolve, reject) => {
      this.queue.push({ request: { id: this.nextId++, options }, resolve, reject })
      if (this.queue.length === 1) this.send()
    })
  }

  /** Ends the compiler process; builds that are not done are rejected with `build-closed`. */
  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.timer)
    const { process } = this
    this.process = null
    for (const { reject } of this.queue.splice(0)) reject(new OnusError('build-closed', 'the build service is closed'))
    if (process === null || process.exitCode !== null || process.signalCode !== null) return
    const ended = new Promise((resolve) => process.once('exit', resolve))
    process.ref()
    process.kill('SIGKILL')
    await ended
  }

  private start(): ChildProcess {
    const started = fork(processFile, {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${this.memoryLimit}`],
      // What a dying compiler prints is no diagnostic; the way it ended is told instead.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    // An idle service does not keep its owner's process alive.
    started.unref()
    started.channel?.unref()
    started.on('message', (reply: BuildReply) => this.settle(reply))
    started.on('error', (error) => this.lost(started, error.message))
    started.on('exit', (code, signal) => this.lost(started, signal ?? `exit code ${code}`))
    return started
  }

  private send(): void {
    const first = this.queue[0]
    if (first === undefined) {
      this.process?.channel?.unref()
      return
    }
    this.process ??= this.start()
    this.process.channel?.ref()
    this.timer = setTimeout(() => this.giveUp(), this.timeLimit)
    this.process.send(first.request)
  }

  private settle(reply: BuildReply): void {
    const first = this.queue[0]
    if (first === undefined || first.request.id !== reply.id) return
    this.next()
    if ('built' in reply) first.resolve(reply.built)
    else first.reject(new BuildError(reply.code, reply.problems))
  }

  /** Leaves the build at the front and begins the one behind it. */
  private next(): void {
    clearTimeout(this.timer)
    this.queue.shift()
    this.send()
  }

  private giveUp(): void {
    const { process } = this
    if (process === null) return
    this.lost(process, `it took longer than ${this.timeLimit} ms`)
    process.kill('SIGKILL')
  }

  private lost(process: ChildProcess, reason: string): void {
    if (this.process !== process) return
    this.process = null
    const first = this.queue[0]
    if (first === undefined) return
    const message = `the compiler stopped (${reason}); this is a fault of the compiler, not of the source`
    this.next()
    first.reject(
      new BuildError('build-compiler', [{ file: first.request.options.entryFile, line: 1, column: 1, message }]),
    )
  }
}
