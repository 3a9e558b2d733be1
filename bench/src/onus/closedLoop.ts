/**
 * Closed loop over many sessions: each keeps one signed envelope under way at its node and sends the next when the
 * certificate of the last one is verified.
 */

import type { ClusterDomain } from '@onus/protocol/chainId'
import type { Hasher } from '@onus/protocol/hash'
import type { Expiry } from '@onus/protocol/opening'
import { Meter, pause } from '../load/meter.js'
import type { CertificateCache } from './certificateCache.js'
import { type GatewayClient, openClients } from './gatewayClient.js'
import type { LoadRun, SignedLoadResult } from './loadMethods.js'
import { type LoadSession, type SignedEnvelope, signTransfers } from './signedEnvelopes.js'

/** Calls a second that the first second of the warm-up is signed for; what is too many is thrown away. */
const firstGuess = { single: 3_000, batched: 20_000 } as const
/** What follows may be so much faster than what was measured before it. */
const headroom = 2.5
const leastRate = 100
/** Envelopes of a session that are signed at least: a short warm-up may have seen hardly a block. */
const leastEnvelopes = 12
/** Load before the window opens. */
const leadSeconds = 0.5

export interface LoopContext {
  readonly hasher: Hasher
  readonly domain: ClusterDomain
  readonly certificates: CertificateCache
  readonly expiry: () => Expiry
}

interface Signed {
  readonly queues: readonly (readonly SignedEnvelope[])[]
  readonly microsecondsPerCall: number
}

function signAll(context: LoopContext, sessions: readonly LoadSession[], run: LoadRun, calls: number): Signed {
  const { callsPerEnvelope } = run
  const envelopes = Math.max(leastEnvelopes, Math.ceil(calls / callsPerEnvelope / sessions.length))
  const plan = { envelopes, callsPerEnvelope, expiry: context.expiry() }
  const before = process.cpuUsage()
  const queues = sessions.map((session) => signTransfers(context.hasher, context.domain, session, plan))
  const { user, system } = process.cpuUsage(before)
  return { queues, microsecondsPerCall: (user + system) / (envelopes * callsPerEnvelope * sessions.length) }
}

/** Sessions that run until stopped. */
class Loop {
  readonly meter = new Meter()
  /** Resolves when a session has nothing signed left. */
  readonly ranOut: Promise<void>
  readonly #callsPerEnvelope: number
  readonly #ended: Promise<unknown>
  #isStopping = false
  #tellRanOut: () => void = () => undefined

  constructor(
    clients: readonly GatewayClient[],
    sessions: readonly LoadSession[],
    queues: Signed['queues'],
    callsPerEnvelope: number,
  ) {
    this.#callsPerEnvelope = callsPerEnvelope
    this.ranOut = new Promise((resolve) => {
      this.#tellRanOut = resolve
    })
    this.#ended = Promise.all(
      sessions.map((session, index) => this.#runSession(clients[index] as GatewayClient, session, queues[index] ?? [])),
    )
  }

  async #runSession(client: GatewayClient, session: LoadSession, queue: readonly SignedEnvelope[]): Promise<void> {
    for (const envelope of queue) {
      if (this.#isStopping) return
      const sentAt = performance.now()
      try {
        const height = await client.call(envelope)
        this.meter.completed(this.#callsPerEnvelope, performance.now() - sentAt, height)
        session.nextCounter += this.#callsPerEnvelope
      } catch (error) {
        // Its counters are in doubt, so the session takes no further part.
        this.meter.failed(this.#callsPerEnvelope, error)
        return
      }
    }
    this.#tellRanOut()
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#ended
  }
}

interface Clients {
  readonly sessions: readonly LoadSession[]
  readonly connections: readonly GatewayClient[]
}

/** Loads the cluster unmeasured for some seconds with up to `calls` signed calls. Gives the loop, stopped, and its rate. */
async function warmUp(
  context: LoopContext,
  { sessions, connections }: Clients,
  run: LoadRun,
  seconds: number,
  calls: number,
): Promise<{ rate: number; meter: Meter }> {
  const { queues } = signAll(context, sessions, run, calls)
  const loop = new Loop(connections, sessions, queues, run.callsPerEnvelope)
  const startedAt = performance.now()
  await Promise.race([pause(seconds * 1000), loop.ranOut])
  const rate = loop.meter.calls / ((performance.now() - startedAt) / 1000)
  await loop.stop()
  return { rate, meter: loop.meter }
}

/** Loads the cluster through the window and a little before it. */
async function measure(
  context: LoopContext,
  { sessions, connections }: Clients,
  run: LoadRun,
  rate: number,
): Promise<SignedLoadResult> {
  const calls = Math.max(rate, leastRate) * headroom * (run.seconds + leadSeconds)
  const signed = signAll(context, sessions, run, calls)
  const loop = new Loop(connections, sessions, signed.queues, run.callsPerEnvelope)
  await pause(leadSeconds * 1000)
  loop.meter.open(run.watched)
  const end = await Promise.race([pause(run.seconds * 1000), loop.ranOut.then(() => 'ran out' as const)])
  const result = loop.meter.close()
  await loop.stop()
  return { ...result(), signMicroseconds: signed.microsecondsPerCall, ranOut: end === 'ran out' }
}

/** Warms up, signs as much as the measured rate asks for, and measures. Calls that failed in the warm-up count too. */
export async function runClosedLoop(
  context: LoopContext,
  opened: readonly LoadSession[],
  run: LoadRun,
): Promise<SignedLoadResult> {
  const sessions = opened.slice(0, run.sessions)
  const urls = sessions.map(({ gatewayUrl }) => gatewayUrl)
  const { clients: connections, close } = await openClients(urls, context.certificates)
  const clients = { sessions, connections }
  try {
    const guess = run.callsPerEnvelope === 1 ? firstGuess.single : firstGuess.batched
    const first = await warmUp(context, clients, run, 1, guess)
    const rest = Math.max(1, run.warmSeconds - 1)
    const second = await warmUp(context, clients, run, rest, Math.max(first.rate, leastRate) * headroom * rest)
    const result = await measure(context, clients, run, second.rate)
    const warmed = [first, second].map(({ meter }) => meter.failures)
    return {
      ...result,
      failed: warmed.reduce((sum, { failed }) => sum + failed, result.failed),
      firstFailure: warmed.find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? result.firstFailure,
    }
  } finally {
    close()
  }
}
