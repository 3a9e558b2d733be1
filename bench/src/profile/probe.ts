/**
 * Loaded before a node's own code (`node --import`): times the methods on a call's way through the node, and the delay
 * of its event loop, without a line in the node itself. Written to a file when the process ends. Costs some microseconds
 * a span; no measured round runs with it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { CometbftRpc } from '@onus/node/engines/cometbft/rpc'
import { NodeApplication } from '@onus/node/nodeApplication'
import { NodeBackend } from '@onus/node/nodeBackend'
import { Signer } from '@onus/node/signer/signer'
import { WorkerClient } from '@onus/node/worker/channel'
import { monotonicMilliseconds } from '../load/meter.js'
import { type LoopDelay, type ProbeReport, probeFolderVariable, type Span } from './probeReport.js'

const mostSpans = 2_000_000
const loopInterval = 10
const sealTag = Buffer.from('onus/seal/')

const spans: Span[] = []
const loopDelays: LoopDelay[] = []

interface Labelled {
  readonly name: string
  readonly height?: number
  readonly items?: readonly Uint8Array[]
}

function hasSeal(items: readonly Uint8Array[] | undefined): boolean {
  const first = items?.[0]
  return first !== undefined && sealTag.compare(first, 0, sealTag.length) === 0
}

function record(label: Labelled, start: number): void {
  if (spans.length >= mostSpans) return
  const { name, height = 0, items } = label
  spans.push({ name, start, end: monotonicMilliseconds(), height, hasContent: hasSeal(items) })
}

/** Times each call of an asynchronous method; `label` names the span from arguments and result. */
function time<Args extends unknown[], Result>(
  prototype: object,
  method: string,
  label: (args: Args, result: Result | undefined) => Labelled,
): void {
  const methods = prototype as Record<string, (...args: Args) => Promise<Result>>
  const original = methods[method]
  if (original === undefined) throw new Error(`the probe is out of date: there is no method ${method} any more`)
  methods[method] = async function timed(this: unknown, ...args: Args): Promise<Result> {
    const start = monotonicMilliseconds()
    let result: Result | undefined
    try {
      result = await original.apply(this, args)
      return result
    } finally {
      record(label(args, result), start)
    }
  }
}

type Request = { readonly height: number; readonly items: readonly Uint8Array[] }

function installTimers(): void {
  time(NodeBackend.prototype, 'carry', () => ({ name: 'gateway' }))
  time(WorkerClient.prototype, 'call', ([method]: [string]) => ({ name: `worker ${method}` }))
  time(NodeApplication.prototype, 'checkTx', () => ({ name: 'checkTx' }))
  time(
    NodeApplication.prototype,
    'prepareProposal',
    ([{ height }]: [Request], items: readonly Uint8Array[] | undefined) => ({
      name: 'prepareProposal',
      height,
      ...(items === undefined ? {} : { items }),
    }),
  )
  for (const name of ['processProposal', 'finalizeBlock'])
    time(NodeApplication.prototype, name, ([{ height, items }]: [Request]) => ({ name, height, items }))
  time(NodeApplication.prototype, 'commit', () => ({ name: 'commit' }))
  time(CometbftRpc.prototype, 'commit', ([height]: [number]) => ({ name: 'fetch commit', height }))
  time(CometbftRpc.prototype, 'broadcastTxAsync', () => ({ name: 'wake' }))
  time(Signer.prototype, 'sign', ([{ kind, height }]: [{ kind: string; height: number }]) => ({
    name: `sign ${kind}`,
    height,
  }))
}

/** How late a timer of 10 ms is each time: what a request waits before the event loop turns to it. */
function sampleLoop(): void {
  let previous = monotonicMilliseconds()
  setInterval(() => {
    const now = monotonicMilliseconds()
    loopDelays.push({ at: now, delay: Math.max(0, now - previous - loopInterval) })
    previous = now
  }, loopInterval).unref()
}

function start(folder: string): void {
  sampleLoop()
  installTimers()
  process.on('exit', () => {
    const report: ProbeReport = { spans, loopDelays }
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(report))
  })
}

const folder = process.env[probeFolderVariable]
if (isMainThread && folder !== undefined) start(folder)
