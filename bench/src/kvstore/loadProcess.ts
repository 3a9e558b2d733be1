/** The rival's load source, a process of its own. Serves `KvstoreMethods`. */
import { randomBytes } from 'node:crypto'
import { assert } from '@onus/protocol/errors'
import { type LoadResult, Meter, pause, pauseBetweenCalls } from '../load/meter.js'
import { serveTasks } from '../system/taskProcess.js'
import { BlockEvents } from './blockEvents.js'
import { type Broadcaster, openBroadcaster } from './broadcast.js'
import type { KvstoreMethods, KvstoreRun } from './loadMethods.js'

/** Before the measured ones. */
const warmCalls = 5

/** `key=value` of `bytes` bytes in base64, different each time: the kvstore takes nothing else, the mempool none twice. */
function randomTransaction(bytes: number): string {
  assert(bytes >= 32, 'a transaction has room for key and value')
  const text = randomBytes(bytes).toString('hex')
  return Buffer.from(`${text.slice(0, 16)}=${text.slice(16, bytes - 1)}`, 'latin1').toString('base64')
}

async function sendOne(events: BlockEvents, broadcaster: Broadcaster, transaction: string): Promise<number> {
  const decided = events.decision(transaction)
  broadcaster.send(transaction).catch((error) => events.refused(transaction, error))
  return decided
}

async function runClosedLoop(run: KvstoreRun): Promise<LoadResult> {
  const meter = new Meter()
  let isStopping = false
  const loop = async (events: BlockEvents, broadcaster: Broadcaster): Promise<void> => {
    while (!isStopping) {
      const transaction = randomTransaction(run.bytes)
      const sentAt = performance.now()
      try {
        const height = await sendOne(events, broadcaster, transaction)
        meter.completed(1, performance.now() - sentAt, height)
      } catch (error) {
        meter.failed(1, error)
        return
      }
    }
  }
  const events = await BlockEvents.open(run.rpcPorts[0] as number)
  const broadcasters = await Promise.all(run.rpcPorts.map((port) => openBroadcaster(run.transport, port)))
  try {
    const ended = Promise.all(
      Array.from({ length: run.outstanding }, (_, index) =>
        loop(events, broadcasters[index % broadcasters.length] as Broadcaster),
      ),
    )
    await pause(run.warmSeconds * 1000)
    meter.open(run.watched)
    await pause(run.seconds * 1000)
    const result = meter.close()
    isStopping = true
    await ended
    return result()
  } finally {
    for (const broadcaster of broadcasters) broadcaster.close()
    events.close()
  }
}

async function runIdle(rpcPort: number, bytes: number, calls: number): Promise<number[]> {
  const events = await BlockEvents.open(rpcPort)
  const broadcaster = await openBroadcaster('websocket', rpcPort)
  const latencies: number[] = []
  try {
    for (let i = 0; i < warmCalls + calls; i++) {
      await pauseBetweenCalls()
      const transaction = randomTransaction(bytes)
      const sentAt = performance.now()
      await sendOne(events, broadcaster, transaction)
      if (i >= warmCalls) latencies.push(performance.now() - sentAt)
    }
    return latencies
  } finally {
    broadcaster.close()
    events.close()
  }
}

serveTasks<KvstoreMethods>({
  run: runClosedLoop,
  idle: ({ rpcPort, bytes, calls }) => runIdle(rpcPort, bytes, calls),
})
