/**
 * Requests and answers between a thread and its worker. A rejection of input crosses as an `OnusError`; anything else
 * is a bug of the worker, which then dies, and every call under way fails with `worker-died`.
 */
import { type MessagePort, type TransferListItem, Worker, type WorkerOptions } from 'node:worker_threads'
import { OnusError } from '@onus/protocol/errors'

/** Methods of a worker: plain data in, plain data (or a promise of it) out. */
export type Methods<Self> = { readonly [Name in keyof Self]: (argument: never) => unknown }

interface Request {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

type Response =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly rejection: Rejection }

/** An `OnusError` as plain data; the message is without its path. */
interface Rejection {
  readonly code: string
  readonly message: string
  readonly remedy: string | undefined
  readonly path: string | undefined
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

export class WorkerClient<Self extends Methods<Self>> {
  readonly worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 0
  #dead: OnusError | null = null

  /** `onDeath` is told once, unless `stop` was called: `worker-died`, or the rejection with which it did not start. */
  constructor(script: URL, options: WorkerOptions, onDeath: (error: OnusError) => void) {
    this.worker = new Worker(script, options)
    this.worker.on('message', (response: Response) => this.#settle(response))
    this.worker.on('error', (cause) => this.#die(deathOf(cause), onDeath))
    this.worker.on('exit', (code) => this.#die(new OnusError('worker-died', `worker ended with code ${code}`), onDeath))
  }

  call<Name extends keyof Self & string>(
    method: Name,
    argument: Parameters<Self[Name]>[0],
    transfer: readonly TransferListItem[] = [],
  ): Promise<Awaited<ReturnType<Self[Name]>>> {
    if (this.#dead !== null) return Promise.reject(this.#dead)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.worker.postMessage({ id, method, argument } satisfies Request, transfer)
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
    })
  }

  /** Calls under way. */
  get pending(): number {
    return this.#waiting.size
  }

  async stop(): Promise<void> {
    this.#dead ??= new OnusError('worker-died', 'the worker was stopped')
    await this.worker.terminate()
  }

  #settle(response: Response): void {
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (waiting === undefined) return
    if ('value' in response) waiting.resolve(response.value)
    else {
      const { code, message, remedy, path } = response.rejection
      waiting.reject(
        new OnusError(code, message, {
          ...(remedy === undefined ? {} : { remedy }),
          ...(path === undefined ? {} : { path }),
        }),
      )
    }
  }

  #die(error: OnusError, onDeath: (error: OnusError) => void): void {
    const first = this.#dead === null
    this.#dead ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#dead)
    this.#waiting.clear()
    if (first) onDeath(error)
  }
}

/** A worker that refuses to start (`openMachine`) throws an `OnusError`, which crosses as a plain `Error`. */
function deathOf(cause: Error & { readonly code?: unknown; readonly remedy?: unknown }): OnusError {
  if (cause.name !== 'OnusError' || typeof cause.code !== 'string')
    return new OnusError('worker-died', `worker failed: ${cause.message}`, { cause })
  return new OnusError(cause.code, cause.message, {
    cause,
    ...(typeof cause.remedy === 'string' ? { remedy: cause.remedy } : {}),
  })
}

function rejectionOf({ code, message, remedy, path }: OnusError): Rejection {
  return { code, message: path === undefined ? message : message.slice(path.length + 2), remedy, path }
}

/** Serves the methods of `self` on `port`, one request after the other in their order. */
export function serveWorker<Self extends Methods<Self>>(port: MessagePort, self: Self): void {
  let turn: Promise<void> = Promise.resolve()
  port.on('message', (request: Request) => {
    turn = turn.then(() => answer(port, self, request))
  })
}

async function answer<Self extends Methods<Self>>(port: MessagePort, self: Self, request: Request): Promise<void> {
  const method = self[request.method as keyof Self] as (argument: never) => unknown
  try {
    const value = await method(request.argument as never)
    port.postMessage({ id: request.id, value } satisfies Response)
  } catch (error) {
    if (!(error instanceof OnusError)) throw error
    port.postMessage({ id: request.id, rejection: rejectionOf(error) } satisfies Response)
  }
}
