/**
 * The moment from which a transaction's expiry is counted: the newest verified block, never this machine's clock.
 * After a rest no certificate tells the time (a block without content has no manifest), so where f+1 nodes refuse a
 * fresh transaction as expired, the time that at least one honest node vouches for is taken instead.
 */
import type { Certificate } from '@onus/protocol/certificate'
import type { Expiry } from '@onus/protocol/opening'
import type { BlockMoment } from '@onus/protocol/session'
import { askUntil, gather, nodesInOrder, type Question } from './askNode.js'
import { integerOf, maximumJsonLength, readJsonObject } from './gatewayError.js'
import type { HttpRequest } from './http.js'
import type { Network } from './network.js'
import { maximumCertificateLength } from './verifyResults.js'

export function getRequest(network: Network, path: string, maximumBytes: number): HttpRequest {
  return { method: 'GET', path, body: null, maximumBytes, deadline: network.settings.timeouts.request }
}

export function newestCertificate(network: Network): Question<Certificate> {
  return {
    request: getRequest(network, '/v1/certificates/latest', maximumCertificateLength),
    read: (bytes) => network.certificates.admit(bytes),
  }
}

/** The newest moment known: of a verified block, or the hint where that is later. */
export function knownMoment(network: Network): BlockMoment {
  const { newest } = network.certificates
  const { hint } = network
  if (hint === null) return newest
  return {
    height: Math.max(newest.height, hint.height),
    milliseconds: Math.max(newest.milliseconds, hint.milliseconds),
  }
}

/** Asks for the newest certificate; whether any node answered (that there is none yet is an answer). */
export async function refreshMoment(network: Network, prefer: string | null): Promise<boolean> {
  const found = await askUntil(network, nodesInOrder(network, prefer), newestCertificate(network))
  if (found.kind === 'answer') return true
  return found.kind === 'refused' && found.code === 'unknown-block'
}

/** Least milliseconds between two blocks that a busy cluster is taken to reach. */
const shortestBlockTime = 20

/**
 * Refreshes where the newest certificate came too long ago to count from: others may have used up a quarter of the
 * longest expiry since.
 */
export async function freshenMoment(network: Network, prefer: string | null): Promise<void> {
  const { expiryMilliseconds, expiryBlocks } = network.trust.genesis.limits
  const age = performance.now() - network.certificates.admittedAt
  if (age > Math.min(expiryMilliseconds, expiryBlocks * shortestBlockTime) / 4) await refreshMoment(network, prefer)
}

/** Whether no block after `moment` may hold a transaction of this expiry: heights grow by one, times may stay. */
export function isOver(expiry: Expiry, moment: BlockMoment): boolean {
  return moment.height >= expiry.height || moment.milliseconds > expiry.time
}

const latest = Number.MAX_SAFE_INTEGER / 2

/** Height and time that f+1 nodes claim to have reached become the hint; the (f+1)th greatest of each. */
export async function gatherHint(network: Network): Promise<void> {
  const { oneHonest } = network.trust
  const heights: number[] = []
  const times: number[] = []
  const question: Question<BlockMoment> = {
    request: getRequest(network, '/v1/status', maximumJsonLength),
    read: (bytes) => {
      const status = readJsonObject(bytes)
      return { height: integerOf(status, 'height', latest), milliseconds: integerOf(status, 'time', latest) }
    },
  }
  await gather(network, nodesInOrder(network, null), question, network.pool.length, (reply) => {
    if (!('failed' in reply)) {
      heights.push(reply.value.height)
      times.push(reply.value.milliseconds)
    }
    return network.pool.length
  })
  if (times.length < Math.min(oneHonest, network.pool.length)) return
  const vouched = (values: number[]): number =>
    values.sort((a, b) => b - a)[Math.min(oneHonest, values.length) - 1] as number
  network.hint = { height: vouched(heights), milliseconds: vouched(times) }
}

/** The longest expiry that the cluster takes: a block after `moment` never finds it too far. */
export function expiryAfter(network: Network, moment: BlockMoment): Expiry {
  const { limits } = network.trust.genesis
  return { height: moment.height + limits.expiryBlocks, time: moment.milliseconds + limits.expiryMilliseconds }
}
