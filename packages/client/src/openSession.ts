/**
 * Opens a session: takes a free slot on a node's hint, signs the opening, and believes it is open only by a certified
 * receipt. Another client may take the slot first; then another one is tried.
 */
import { OnusError } from '@onus/protocol/errors'
import type { Expiry, SessionId } from '@onus/protocol/opening'
import { receiptStatus } from '@onus/protocol/receipt'
import type { BlockMoment } from '@onus/protocol/session'
import { type EnvelopeKind, envelopeKind } from '@onus/protocol/transaction'
import { askUntil, errorOfFailure, nodesInOrder, type Question } from './askNode.js'
import { type Carried, cargoOf, carryEnvelope } from './carryEnvelope.js'
import { findExecuted } from './findExecuted.js'
import { integerOf, maximumJsonLength, readJsonObject } from './gatewayError.js'
import { sleep } from './lifetime.js'
import { expiryAfter, freshenMoment, getRequest, isOver, knownMoment, refreshMoment } from './moment.js'
import type { Network } from './network.js'
import { type ClientSession, newSession } from './session.js'
import { type Account, signOpening } from './wallet.js'

const maximumAttempts = 8
const greatestU32 = 0xffffffff

function freeSlot(network: Network): Question<SessionId> {
  return {
    request: getRequest(network, '/v1/sessions/free', maximumJsonLength),
    read: (bytes) => {
      const hint = readJsonObject(bytes)
      const slot = integerOf(hint, 'slot', network.trust.genesis.limits.sessionCapacity - 1)
      return { slot, generation: integerOf(hint, 'generation', greatestU32) }
    },
  }
}

function closingAfter(network: Network, moment: BlockMoment): Expiry {
  const { limits } = network.trust.genesis
  return { height: moment.height + limits.sessionBlocks, time: moment.milliseconds + limits.sessionMilliseconds }
}

/** A slot that some node calls free; those in `tried` gave slots that were not. */
async function hintedSlot(network: Network, tried: Set<string>): Promise<SessionId> {
  const nodes = nodesInOrder(network, null)
  const fresh = nodes.filter(({ url }) => !tried.has(url))
  const question = freeSlot(network)
  const found = await askUntil(network, fresh.length === 0 ? nodes : fresh, question)
  if (found.kind !== 'answer') throw errorOfFailure(question.request, found)
  tried.add(found.node)
  return found.value
}

/** Whether the opening stands, whatever its carrying said. A lost answer may hide that it executed. */
async function isOpened(network: Network, carried: Carried, id: Uint8Array, expiry: Expiry): Promise<boolean> {
  if (carried.kind === 'receipts' && carried.receipts[0]?.receipt.status === receiptStatus.executed) return true
  const search = await findExecuted(network, [id], (moment) => isOver(expiry, moment))
  return search.kind === 'executed' && search.found.receipt.status === receiptStatus.executed
}

/** Refusals and rejections after which another slot or a newer moment may do. */
function isWorthRetrying(carried: Carried): boolean {
  if (carried.kind === 'refused') return ['slot-taken', 'session-unknown', 'expired'].includes(carried.code)
  return carried.kind !== 'unwanted'
}

/** One attempt: the open session, or how the carrying ended. */
async function tryOpening(
  network: Network,
  account: Account,
  id: SessionId,
  isWanted: () => boolean,
): Promise<ClientSession | Carried> {
  await freshenMoment(network, null)
  const moment = knownMoment(network)
  const closes = closingAfter(network, moment)
  const expiry = expiryAfter(network, moment)
  const plan = { session: id, closes, expiry, admission: network.settings.admission }
  const { envelope, key } = await signOpening(network.trust, account, plan)
  const cargo = cargoOf(network, envelope, expiry)
  const carried = await carryEnvelope(network, cargo, () => null, isWanted)
  if (carried.kind === 'unwanted') {
    if (cargo.trouble !== null)
      throw errorOfFailure({ ...freeSlot(network).request, path: '/v1/envelopes' }, cargo.trouble)
    return carried
  }
  if (!(await isOpened(network, carried, cargo.ids[0] as Uint8Array, expiry))) return carried
  const callKind: EnvelopeKind = account.kind === 'wallet' ? envelopeKind.sessionKeyCalls : envelopeKind.accountCalls
  const session = newSession(id, key, callKind, closes, 0)
  if (carried.kind === 'receipts') session.node = carried.receipts[0]?.node ?? null
  return session
}

/**
 * Opens a session for `account`, as long as `isWanted`. Rejects `no-node`, `session-not-opened`, the code of f+1
 * nodes' refusal, and what the wallet rejects.
 */
export async function openSession(network: Network, account: Account, isWanted: () => boolean): Promise<ClientSession> {
  const tried = new Set<string>()
  for (let attempt = 0; attempt < maximumAttempts && isWanted(); attempt++) {
    const opened = await tryOpening(network, account, await hintedSlot(network, tried), isWanted)
    if (!('kind' in opened)) return opened
    if (!isWorthRetrying(opened)) {
      if (opened.kind === 'refused') throw new OnusError(opened.code, opened.message)
      break
    }
    await refreshMoment(network, null)
    // Clients that were told the same slot come apart.
    await sleep(Math.random() * 20 * (attempt + 1), network.lifetime)
  }
  throw new OnusError('session-not-opened', 'no slot could be opened', {
    remedy: 'try again; if it stays so, the cluster has no free session or its nodes give wrong hints',
  })
}

/** What f+1 nodes say of an imported session: its next counter, `gone`, or null where they do not agree. */
export async function standingOf(network: Network, session: ClientSession): Promise<number | 'gone' | null> {
  const question: Question<number | 'gone'> = {
    request: getRequest(network, `/v1/sessions/${session.id.slot}`, maximumJsonLength),
    read: (bytes) => {
      const standing = readJsonObject(bytes)
      const isOurs = integerOf(standing, 'generation', greatestU32) === session.id.generation
      return isOurs && standing['open'] === true ? integerOf(standing, 'nextCounter', Number.MAX_SAFE_INTEGER) : 'gone'
    },
  }
  const votes = new Map<number | 'gone', number>()
  for (const node of nodesInOrder(network, session.node)) {
    const found = await askUntil(network, [node], question)
    const isUnknown = found.kind !== 'answer' && found.failures.some(({ code }) => code === 'session-unknown')
    if (found.kind !== 'answer' && !isUnknown) continue
    const value = found.kind === 'answer' ? found.value : 'gone'
    const count = (votes.get(value) ?? 0) + 1
    if (count >= Math.min(network.trust.oneHonest, network.pool.length)) return value
    votes.set(value, count)
  }
  return null
}
