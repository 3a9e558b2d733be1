/**
 * Brings calls to their ends (`spec/client.md` 6): signs them, carries the envelope, and judges what came. A call keeps
 * its counter for life and may be signed again with another expiry only: of all its forms at most one executes.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { receiptStatus, rejectionCode } from '@onus/protocol/receipt'
import type { BlockMoment } from '@onus/protocol/session'
import { type Call, signEnvelope } from '@onus/protocol/transaction'
import { type Carried, cargoOf, carryEnvelope } from './carryEnvelope.js'
import { CallError, type RejectionName } from './clientErrors.js'
import { findExecuted, type Search } from './findExecuted.js'
import { sleep } from './lifetime.js'
import { expiryAfter, isOver, knownMoment } from './moment.js'
import type { Network } from './network.js'
import { standingOf } from './openSession.js'
import type { PendingCall } from './pendingCall.js'
import { callReport, type DeliveredReceipt } from './reports.js'
import { type ClientSession, confirmCounter, releaseCounter, type Shipment } from './session.js'

/** Signed forms of one call; splits of a batch that is too large for a block count too (2^10 calls at most). */
const maximumForms = 16

export function signCalls(network: Network, session: ClientSession, calls: readonly PendingCall[]): Shipment {
  const { hasher, curve, domain } = network.trust
  const expiry = expiryAfter(network, knownMoment(network))
  const transactions = calls.map(
    ({ counter, argument, gasLimit }): Call => ({
      type: 'call',
      session: session.id,
      counter,
      expiry,
      gasLimit,
      argument,
    }),
  )
  const envelope = signEnvelope(hasher, curve, domain, session.callKind, transactions, session.key)
  const cargo = cargoOf(network, envelope, expiry)
  calls.forEach((call, index) => {
    call.signed(cargo.ids[index] as Uint8Array, cargo)
  })
  return { cargo, calls }
}

/** Carries a shipment to the end of all its calls, or until nobody waits; then it stays with the session. */
export async function deliver(network: Network, session: ClientSession, shipment: Shipment, form = 1): Promise<void> {
  const isWanted = (): boolean => session.waiting > 0
  const carried = await carryEnvelope(network, shipment.cargo, () => session.node, isWanted)
  if (carried.kind === 'unwanted') {
    session.stalled.push(shipment)
    return
  }
  const again = await concludeShipment(network, session, shipment, carried)
  for (const calls of again.flatMap(consecutiveRuns)) {
    if (form < maximumForms) await deliver(network, session, signCalls(network, session, calls), form + 1)
    else for (const call of calls) abandon(session, call, new OnusError('expired', `not executed in ${form} attempts`))
  }
}

/** Groups without a gap between counters: an envelope with a gap inside would wait for itself. */
function consecutiveRuns(calls: readonly PendingCall[]): PendingCall[][] {
  const runs: PendingCall[][] = []
  for (const call of calls) {
    const run = runs[runs.length - 1]
    if (run?.[run.length - 1]?.counter === call.counter - 1) run.push(call)
    else runs.push([call])
  }
  return runs
}

/** Ends the calls as far as `carried` says how; gives those to sign again, in groups for one envelope each. */
async function concludeShipment(
  network: Network,
  session: ClientSession,
  shipment: Shipment,
  carried: Exclude<Carried, { kind: 'unwanted' }>,
): Promise<PendingCall[][]> {
  const { calls, cargo } = shipment
  switch (carried.kind) {
    case 'receipts':
      return [await concludeReceipts(network, session, calls, carried.receipts)]
    case 'outdated':
      return [stillWanted(session, calls, 'the cluster rested past the expiry')]
    case 'expired': {
      const enough = (moment: BlockMoment): boolean => isOver(cargo.expiry, moment)
      const error = (): OnusError =>
        new OnusError('expired', `did not execute up to block ${cargo.expiry.height}, time ${cargo.expiry.time}`, {
          remedy: 'call again',
        })
      await concludeAbsent(network, session, calls, enough, (call) => abandon(session, call, error()))
      return []
    }
    case 'refused':
      return concludeRefusal(network, session, calls, carried)
  }
}

/** Counters of calls for which nobody waits go back to the session; the others are given. */
function stillWanted(session: ClientSession, calls: readonly PendingCall[], why: string): PendingCall[] {
  for (const call of calls) if (!call.isOpen) abandon(session, call, new OnusError('expired', why))
  return calls.filter(({ isOpen }) => isOpen)
}

/** The call did not execute and its counter is free. */
function abandon(session: ClientSession, call: PendingCall, error: OnusError): void {
  releaseCounter(session, call.counter)
  call.fail(error)
}

function settle(session: ClientSession, call: PendingCall, delivered: DeliveredReceipt): void {
  confirmCounter(session, call.counter)
  call.settle(delivered)
}

const searchAttempts = 5

/** `findExecuted`, again a few times where too few nodes answer. */
async function search(network: Network, call: PendingCall, enough: (moment: BlockMoment) => boolean): Promise<Search> {
  for (let attempt = 1; ; attempt++) {
    const found = await findExecuted(network, call.ids, enough)
    if (found.kind !== 'unsettled' || attempt === searchAttempts || network.lifetime.isOver) return found
    await sleep(100 * 2 ** attempt, network.lifetime)
  }
}

/**
 * Settles the calls that executed after all and gives the others to `onAbsent`. Calls are in the order of their
 * counters, so behind one that did not execute none did.
 */
async function concludeAbsent(
  network: Network,
  session: ClientSession,
  calls: readonly PendingCall[],
  enough: (moment: BlockMoment) => boolean,
  onAbsent: (call: PendingCall) => void,
): Promise<void> {
  let isAbsent = false
  for (const call of calls) {
    const found: Search = isAbsent ? { kind: 'absent' } : await search(network, call, enough)
    if (found.kind === 'executed') settle(session, call, deliveredBySearch(found))
    else if (found.kind === 'absent') {
      isAbsent = true
      onAbsent(call)
    } else {
      // Neither used nor free: no further call can stand behind this counter.
      session.dead = true
      call.fail(new OnusError('outcome-unknown', 'too few nodes say whether the call executed before it expired'))
    }
  }
}

function deliveredBySearch(found: Extract<Search, { kind: 'executed' }>): DeliveredReceipt {
  return { ...found.found, node: found.node, sentAt: performance.now(), verifyTime: 0 }
}

async function concludeReceipts(
  network: Network,
  session: ClientSession,
  calls: readonly PendingCall[],
  receipts: readonly DeliveredReceipt[],
): Promise<PendingCall[]> {
  const again: PendingCall[] = []
  for (const [index, call] of calls.entries()) {
    const delivered = receipts[index] as DeliveredReceipt
    session.node = delivered.node
    if (delivered.receipt.status !== receiptStatus.rejected) settle(session, call, delivered)
    else if (await concludeRejection(network, session, call, delivered)) again.push(call)
  }
  return again
}

const namesOfRejections: ReadonlyMap<number, string> = new Map(
  Object.entries(rejectionCode).map(([name, code]) => [code, name]),
)

/** Rejections that every copy of a call must meet from then on. */
const lastingRejections: ReadonlySet<RejectionName> = new Set(['expired', 'counterUsed', 'gasLimit'])

/**
 * Judges a certified rejection; whether the call is to be signed again. A second copy of an executed transaction is
 * rejected too, so the receipt of an execution is looked for first.
 */
async function concludeRejection(
  network: Network,
  session: ClientSession,
  call: PendingCall,
  delivered: DeliveredReceipt,
): Promise<boolean> {
  const { height } = delivered.certificate.manifest
  const reason = namesOfRejections.get(delivered.receipt.rejection) as RejectionName
  const newest = call.ids.at(-1)
  if (reason === 'expired' && newest !== undefined && equalBytes(newest, delivered.receipt.transactionId)) {
    // The receipt itself proves that no form of the call executed or will (`spec/session.md` 4): its counter was not used,
    // and its earlier forms expired before this one. So it is safe to sign it again, now that the moment is known: after
    // a long rest of the cluster the first call comes here.
    if (call.isOpen) return true
    const report = callReport(delivered, call.issuedAt, performance.now())
    releaseCounter(session, call.counter)
    call.fail(new CallError('expired', `block ${height} proves that the call can never execute`, report, reason))
    return false
  }
  let isAgain = false
  await concludeAbsent(
    network,
    session,
    [call],
    (moment) => moment.height >= height,
    () => {
      // Others are the end of one copy, which anybody may have signed wrongly or put too early: the call may execute yet.
      if (!lastingRejections.has(reason)) isAgain = call.isOpen
      if (isAgain) return
      if (reason === 'counterUsed') confirmCounter(session, call.counter)
      else if (lastingRejections.has(reason)) releaseCounter(session, call.counter)
      else session.dead = true
      const message = `block ${height} rejected the call: ${reason}`
      const report = callReport(delivered, call.issuedAt, performance.now())
      call.fail(new CallError(reason === 'expired' ? 'expired' : 'call-rejected', message, report, reason))
    },
  )
  return isAgain
}

async function concludeRefusal(
  network: Network,
  session: ClientSession,
  calls: readonly PendingCall[],
  refusal: { readonly code: string; readonly message: string },
): Promise<PendingCall[][]> {
  const { code, message } = refusal
  if (code === 'too-large' && calls.length > 1) {
    const half = Math.ceil(calls.length / 2)
    return [stillWanted(session, calls.slice(0, half), message), stillWanted(session, calls.slice(half), message)]
  }
  if (code !== 'counter-used' && code !== 'session-unknown') {
    for (const call of calls) abandon(session, call, new OnusError(code, message))
    return []
  }
  // An answer may have been lost: what executed is settled first.
  const { height } = network.certificates.newest
  const absent: PendingCall[] = []
  await concludeAbsent(
    network,
    session,
    calls,
    (moment) => moment.height >= height,
    (call) => absent.push(call),
  )
  if (absent.length === 0) return []
  const standing = code === 'counter-used' ? await standingOf(network, session) : 'gone'
  return [absent.filter((call) => isStillToCome(session, call, standing, refusal))]
}

/** Whether the session has not come to the call yet; else the call ends. */
function isStillToCome(
  session: ClientSession,
  call: PendingCall,
  standing: number | 'gone' | null,
  refusal: { readonly code: string; readonly message: string },
): boolean {
  if (typeof standing === 'number' && call.counter >= standing && call.isOpen) return true
  if (typeof standing === 'number') confirmCounter(session, standing - 1)
  else session.dead = true
  call.fail(
    standing === null
      ? new OnusError('outcome-unknown', 'nodes do not agree on where the session stands')
      : new OnusError(refusal.code, refusal.message),
  )
  return false
}
