/** A worker of the tests of `WorkerClient`: answers, rejects, waits, and dies in several ways. */
import { parentPort, workerData } from 'node:worker_threads'
import { serveWorker } from '@onus/node/worker/channel'
import { OnusError } from '@onus/protocol/errors'

export interface EchoMethods {
  echo(value: unknown): unknown
  later(milliseconds: number): Promise<number>
  reject(details: { code: string; remedy?: string; path?: string }): never
  rejectLater(code: string): Promise<never>
  crash(message: string): never
  exit(code: number): never
  unclonable(argument: null): unknown
}

if (workerData === 'refuse') throw new OnusError('engine-version', 'not this one', { remedy: 'take another' })
if (workerData === 'fail') throw new Error('bug at the start')

const order: number[] = []

if (parentPort !== null)
  serveWorker<EchoMethods>(parentPort, {
    echo: (value) => value,
    later: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      return order.push(milliseconds)
    },
    reject: ({ code, remedy, path }) => {
      throw new OnusError(code, 'rejected', {
        ...(remedy === undefined ? {} : { remedy }),
        ...(path === undefined ? {} : { path }),
      })
    },
    rejectLater: async (code) => {
      throw new OnusError(code, 'rejected later')
    },
    crash: (message) => {
      throw new Error(message)
    },
    exit: (code) => process.exit(code),
    unclonable: () => () => undefined,
  })
