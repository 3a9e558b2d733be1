/**
 * One CometBFT process: started, watched, stopped. Every exit that was not asked for is a failure, also with code 0:
 * that is how CometBFT ends when its application goes (`consensus.md`). A process that an earlier, killed node left on
 * the same home is ended first; its pid file names it, its command line proves it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { OnusError } from '@onus/protocol/errors'

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Last lines of the log. */
  readonly log: string
}

export interface CometbftProcessOptions {
  readonly binary: string
  readonly home: string
  /** Told of an exit that `stop` did not cause. */
  readonly onExit: (exit: ProcessExit) => void
}

/** CometBFT closes its databases on SIGTERM; one that hangs is killed after this many milliseconds. */
const stopPatience = 5000
/**
 * One whose node was killed mostly ends by itself within 40 ms, but now and then it waits for its signer for ever. What
 * it has on disk is fit for a kill.
 */
const stalePatience = 500
const logTailBytes = 4096
/** A log above this moves aside at the next start. */
const maximumLogBytes = 16 * 1024 * 1024

const execute = promisify(execFile)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Nothing where the process just ended by itself. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function waitUntilGone(pid: number, patience: number): Promise<boolean> {
  for (const end = Date.now() + patience; isAlive(pid); ) {
    if (Date.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}

/** Command line of a process, arguments separated by NUL (by spaces where the system has no /proc); '' when gone. */
async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return execute('ps', ['-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  )
}

function isOurs(commandLine: string, home: string): boolean {
  return ['\0', ' '].some((separator) =>
    `${commandLine}${separator}`.includes(`start${separator}--home${separator}${home}${separator}`),
  )
}

export class CometbftProcess {
  readonly #options: CometbftProcessOptions
  #child: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()
  #stopping = false

  constructor(options: CometbftProcessOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get running(): boolean {
    return this.#child !== null
  }

  get #pidFile(): string {
    return join(this.#options.home, 'cometbft.pid')
  }

  get #logFile(): string {
    return join(this.#options.home, 'cometbft.log')
  }

  /** Starts one, after `endStale`. Rejects `cometbft-start` where the binary cannot be run. */
  async start(): Promise<void> {
    await this.endStale()
    this.#stopping = false
    const child = await this.#spawn()
    await writeFile(this.#pidFile, `${child.pid}\n`)
  }

  /** SIGTERM, and SIGKILL where that does not help. */
  async stop(): Promise<void> {
    this.#stopping = true
    const child = this.#child
    if (child === null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopPatience)
    await this.#exited
    clearTimeout(timer)
  }

  /** Last lines of the log. */
  async logTail(): Promise<string> {
    const file = await open(this.#logFile, 'r').catch(() => null)
    if (file === null) return ''
    try {
      const { size } = await file.stat()
      const bytes = Buffer.alloc(Math.min(size, logTailBytes))
      await file.read(bytes, 0, bytes.length, size - bytes.length)
      return bytes.toString('utf8')
    } finally {
      await file.close()
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const { binary, home } = this.#options
    const size = await stat(this.#logFile).then(
      (file) => file.size,
      () => 0,
    )
    if (size > maximumLogBytes) await rename(this.#logFile, `${this.#logFile}.old`)
    const log = await open(this.#logFile, 'a', 0o600)
    try {
      // The log goes to a file and not through this process, so CometBFT never waits for a busy event loop.
      // Nothing of the environment reaches it: variables CMT_… would override the configuration.
      const child = spawn(binary, ['start', '--home', home], {
        stdio: ['ignore', log.fd, log.fd],
        env: { PATH: process.env['PATH'] ?? '', HOME: home },
      })
      // Before anything is awaited: a process may end at once.
      this.#exited = new Promise((resolve) => {
        child.on('exit', (code, signal) => {
          this.#child = null
          resolve(this.#report(code, signal))
        })
      })
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', reject)
      })
      this.#child = child.exitCode === null && child.signalCode === null ? child : null
      return child
    } catch (cause) {
      throw new OnusError('cometbft-start', `expected to run ${binary}`, {
        cause,
        remedy: 'Check the path of the binary.',
      })
    } finally {
      await log.close()
    }
  }

  async #report(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    await rm(this.#pidFile, { force: true })
    if (!this.#stopping) this.#options.onExit({ code, signal, log: await this.logTail() })
  }

  /** Ends a process that an earlier node left on this home. Rejects `cometbft-stale` where it does not go. */
  async endStale(): Promise<void> {
    const pid = Number(await readFile(this.#pidFile, 'utf8').catch(() => ''))
    if (Number.isSafeInteger(pid) && pid > 1 && isOurs(await commandLineOf(pid), this.#options.home)) {
      signal(pid, 'SIGTERM')
      if (!(await waitUntilGone(pid, stalePatience))) {
        signal(pid, 'SIGKILL')
        if (!(await waitUntilGone(pid, stopPatience)))
          throw new OnusError('cometbft-stale', `process ${pid} still holds ${this.#options.home}`, {
            remedy: `End process ${pid}.`,
          })
      }
    }
    await rm(this.#pidFile, { force: true })
  }
}
