/**
 * A process of its own for the load source, so that its CPU time is told apart from everything else's: requests and
 * answers over Node's IPC, one after the other.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Methods } from '@onus/node/worker/channel'
import { OnusError } from '@onus/protocol/errors'

interface Request {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly failure: string })

export class TaskProcess<Self extends Methods<Self>> {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  #nextId = 0

  constructor(script: URL, execArgv: readonly string[] = []) {
    this.#child = fork(fileURLToPath(script), [], {
      serialization: 'advanced',
      execArgv: ['--enable-source-maps', ...execArgv],
    })
    this.#child.on('message', (answer: Answer) => this.#settle(answer))
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        for (const { reject } of this.#waiting.values())
          reject(new OnusError('load-died', `the load source ended (${signal ?? `code ${code}`})`))
        this.#waiting.clear()
        resolve()
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  call<Name extends keyof Self & string>(
    method: Name,
    argument: Parameters<Self[Name]>[0],
  ): Promise<Awaited<ReturnType<Self[Name]>>> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#child.send({ id, method, argument } satisfies Request, (error) => {
        if (error !== null) reject(error)
      })
    })
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('value' in answer) waiting?.resolve(answer.value)
    else waiting?.reject(new OnusError('load-failed', answer.failure))
  }

  /** Ends the process, whatever it does. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

/** Serves `self` to the process that started this one; ends with it. */
export function serveTasks<Self extends Methods<Self>>(self: Self): void {
  let turn: Promise<void> = Promise.resolve()
  process.on('disconnect', () => process.exit(0))
  process.on('message', ({ id, method, argument }: Request) => {
    const run = self[method as keyof Self] as (argument: never) => unknown
    turn = turn
      .then(() => run(argument as never))
      .then(
        (value) => ({ id, value }),
        (error) => ({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
      .then((answer: Answer) => void process.send?.(answer))
  })
}
