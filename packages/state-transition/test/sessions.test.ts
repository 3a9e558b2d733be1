/** Sessions against a model: whatever clients send, each transaction ends as the rules say, and none executes twice. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { admissionToken } from '@onus/protocol/admissionToken'
import { toHex } from '@onus/protocol/bytes'
import { nobleHasher } from '@onus/protocol/hash'
import { type Receipt, receiptStatus, rejectionCode } from '@onus/protocol/receipt'
import { addressOf, nobleCurve, publicKeyOf } from '@onus/protocol/signature'
import { envelopeKind } from '@onus/protocol/transaction'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'
import type { ClusterState } from '@onus/state-transition/clusterState'
import { executeBlock } from '@onus/state-transition/executeBlock'
import { SessionView } from '@onus/state-transition/sessionView'
import fc from 'fast-check'
import { type ModelCall, type ModelMoment, type ModelOpening, SessionModel } from './support/sessionModel.js'
import {
  account,
  beginOf,
  blockDataOf,
  callOf,
  genesisWith,
  opening,
  seededBytes,
  signed,
  standInSigner,
  startTime,
  stateOf,
} from './support/testCluster.js'
import { ToyMachine } from './support/toyMachine.js'

const limits = {
  expiryBlocks: 8,
  expiryTime: 8000,
  capacity: 3,
  sessionBlocks: 12,
  sessionTime: 12_000,
  callGas: 500,
}

interface Chain {
  readonly state: ClusterState
  readonly machine: ToyMachine
  now: ModelMoment
  /** All that was ever sent, for replays. */
  readonly sent: {
    readonly envelope: SignedEnvelope
    readonly judge: (model: SessionModel, now: ModelMoment) => string
  }[]
  /** Ids of transactions that executed. */
  readonly executedIds: Set<string>
}

function newChain(): { model: SessionModel; real: Chain } {
  const machine = new ToyMachine()
  const genesis = genesisWith({
    expiryBlocks: limits.expiryBlocks,
    expiryMilliseconds: limits.expiryTime,
    sessionCapacity: limits.capacity,
    sessionBlocks: limits.sessionBlocks,
    sessionMilliseconds: limits.sessionTime,
    callGas: limits.callGas,
  })
  const now = { height: 1, time: (startTime + 1) * 1000 }
  const real = { state: stateOf(genesis, machine), machine, now, sent: [], executedIds: new Set<string>() }
  return { model: new SessionModel(limits), real }
}

function verdictOf(receipt: Receipt): string {
  if (receipt.status !== receiptStatus.rejected) return 'executed'
  return Object.entries(rejectionCode).find(([, code]) => code === receipt.rejection)?.[0] ?? 'unknown'
}

/** Puts one envelope into a block of its own and checks every receipt and the session it names. */
function runBlock(model: SessionModel, chain: Chain, sent: Chain['sent'][number]): void {
  const { state, machine } = chain
  const moment = { height: chain.now.height, milliseconds: chain.now.time }
  const begin = beginOf(state, moment)
  const callsBefore = machine.calls
  const data = blockDataOf(begin, [sent.envelope])
  const { receipts } = executeBlock(state, data, moment.height, begin.time, standInSigner)
  assert.equal(receipts.length, 1)
  const [receipt] = receipts as [Receipt]
  const expected = sent.judge(model, chain.now)
  assert.equal(verdictOf(receipt), expected)
  const [transaction] = sent.envelope.envelope.transactions
  const isRun = expected === 'executed' && transaction?.type === 'call'
  assert.equal(machine.calls - callsBefore, isRun ? 1 : 0, 'only what is admitted reaches the machine')
  if (expected === 'executed') {
    const id = toHex(receipt.transactionId)
    assert.ok(!chain.executedIds.has(id), 'a transaction executes at most once')
    chain.executedIds.add(id)
  }
  compareSessions(model, chain)
  chain.now = { height: chain.now.height + 1, time: chain.now.time + 1000 }
}

function compareSessions(model: SessionModel, { state }: Chain): void {
  for (let slot = 0; slot < limits.capacity + 1; slot++) {
    const held = state.sessions.get(slot)
    const known = model.sessions.get(slot)
    assert.deepEqual(
      held === null ? null : [held.generation, held.nextCounter, toHex(held.key), held.closes],
      known === undefined
        ? null
        : [
            known.generation,
            known.nextCounter,
            toHex(account(known.key)),
            { height: known.closesHeight, time: known.closesTime },
          ],
    )
  }
}

class Send implements fc.Command<SessionModel, Chain> {
  readonly #make: (model: SessionModel, chain: Chain) => Chain['sent'][number] | null
  readonly #name: string
  constructor(name: string, make: (model: SessionModel, chain: Chain) => Chain['sent'][number] | null) {
    this.#name = name
    this.#make = make
  }
  check(): boolean {
    return true
  }
  run(model: SessionModel, chain: Chain): void {
    const sent = this.#make(model, chain)
    if (sent === null) return
    chain.sent.push(sent)
    runBlock(model, chain, sent)
  }
  toString(): string {
    return this.#name
  }
}

function callCommand(draw: {
  slot: number
  generationOff: number
  counterOff: number
  expiryHeightOff: number
  expiryTimeOff: number
  gas: number
  wrongKey: boolean
  wrongKind: boolean
}): Send {
  return new Send(`call ${JSON.stringify(draw)}`, (model, chain) => {
    const held = model.sessions.get(draw.slot)
    const call: ModelCall = {
      slot: draw.slot,
      generation: Math.max(0, (held?.generation ?? 0) + draw.generationOff),
      counter: Math.max(0, (held?.nextCounter ?? 0) + draw.counterOff),
      expiryHeight: Math.max(0, chain.now.height + draw.expiryHeightOff),
      expiryTime: chain.now.time + draw.expiryTimeOff,
      gas: draw.gas,
      signer: draw.wrongKey ? 'stranger' : (held?.key ?? 'nobody'),
      byWallet: (held?.byWallet ?? false) !== draw.wrongKind,
    }
    const kind = call.byWallet ? envelopeKind.sessionKeyCalls : envelopeKind.accountCalls
    const envelope = signed(kind, account(call.signer), [
      callOf(call.slot, call.counter, {
        session: { slot: call.slot, generation: call.generation },
        expiry: { height: call.expiryHeight, time: call.expiryTime },
        gasLimit: call.gas,
      }),
    ])
    return { envelope, judge: (rules, now) => rules.call(call, now) }
  })
}

function openCommand(draw: {
  slot: number
  owner: string
  generationOff: number
  byWallet: boolean
  ownKey: boolean
  wrongSigner: boolean
  closesIn: number
  closesInTime: number
  expiryHeightOff: number
}): Send {
  return new Send(`open ${JSON.stringify(draw)}`, (model, chain) => {
    const held = model.sessions.get(draw.slot)
    const plan: ModelOpening = {
      slot: draw.slot,
      generation: Math.max(0, (held === undefined ? 0 : held.generation + 1) + draw.generationOff),
      owner: draw.owner,
      key: draw.ownKey ? draw.owner : `key of ${draw.owner}`,
      signer: draw.wrongSigner ? 'stranger' : draw.owner,
      byWallet: draw.byWallet,
      expiryHeight: Math.max(0, chain.now.height + draw.expiryHeightOff),
      expiryTime: chain.now.time + 5000,
      closesHeight: chain.now.height + draw.closesIn,
      closesTime: chain.now.time + draw.closesInTime,
    }
    const envelope = opening(
      {
        slot: plan.slot,
        generation: plan.generation,
        owner: account(plan.owner),
        key: account(plan.key),
        closes: { height: plan.closesHeight, milliseconds: plan.closesTime },
        expiry: { height: plan.expiryHeight, milliseconds: plan.expiryTime },
      },
      account(plan.signer),
      plan.byWallet ? envelopeKind.typedOpening : envelopeKind.accountOpening,
    )
    return { envelope, judge: (rules, now) => rules.open(plan, now) }
  })
}

const mostly = <Value>(usual: Value, ...others: Value[]): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const slots = mostly(0, 1, 2, 3)

const commands = fc.commands(
  [
    fc
      .record({
        slot: slots,
        generationOff: mostly(0, -1, 1),
        counterOff: mostly(0, -1, -2, 1, 5),
        expiryHeightOff: mostly(5, -1, 0, 8, 9),
        expiryTimeOff: mostly(5000, -1, 0, 8000, 8001),
        gas: mostly(200, 0, 1, 500, 501),
        wrongKey: mostly(false, true),
        wrongKind: mostly(false, true),
      })
      .map(callCommand),
    fc
      .record({
        slot: slots,
        owner: fc.constantFrom('ann', 'ben'),
        generationOff: mostly(0, -1, 1),
        byWallet: fc.boolean(),
        ownKey: mostly(true, false),
        wrongSigner: mostly(false, true),
        closesIn: mostly(4, 0, 1, 12, 13, -1),
        closesInTime: mostly(12_000, 3000, 0, 12_001, -1),
        expiryHeightOff: mostly(3, -1, 0, 8, 9),
      })
      .map(openCommand),
    fc
      .nat(5)
      .map((ago) => new Send(`replay ${ago}`, (_model, chain) => chain.sent[chain.sent.length - 1 - ago] ?? null)),
    fc.record({ blocks: fc.integer({ min: 0, max: 9 }), time: fc.integer({ min: 0, max: 9000 }) }).map(
      ({ blocks, time }) =>
        new Send(`rest ${blocks} blocks, ${time} ms`, (_model, chain) => {
          chain.now = { height: chain.now.height + blocks, time: chain.now.time + time }
          return null
        }),
    ),
  ],
  { maxCommands: 60, size: 'max' },
)

describe('sessions', () => {
  test('every transaction ends as the model says, and none executes twice', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(commands, (sequence) => {
        fc.modelRun(() => {
          const made = newChain()
          const { call, open } = made.model
          made.model.call = (...given) => count(seen, call.apply(made.model, given))
          made.model.open = (...given) => count(seen, open.apply(made.model, given))
          return made
        }, sequence)
      }),
      { seed: 7, numRuns: 100 },
    )
    // The test would prove little if some rule were never met.
    for (const reason of Object.keys(rejectionCode).filter((name) => name !== 'none' && name !== 'admission'))
      assert.ok((seen.get(reason) ?? 0) >= 5, `${reason} was met ${seen.get(reason) ?? 0} times`)
    assert.ok((seen.get('executed') ?? 0) >= 300, `executed ${seen.get('executed')} times`)
  })

  test('a session opened by a wallet is called by its key, in its owner name', () => {
    const genesis = genesisWith()
    const state = stateOf(genesis)
    const open = opening(
      { slot: 2, owner: account('ann'), key: account('phone') },
      undefined,
      envelopeKind.typedOpening,
    )
    const byKey = signed(envelopeKind.sessionKeyCalls, account('phone'), [callOf(2, 0)])
    const byOwner = signed(envelopeKind.accountCalls, account('ann'), [callOf(2, 1)])
    const begin = beginOf(state, { height: 1, milliseconds: (startTime + 1) * 1000 })
    const { receipts } = executeBlock(state, blockDataOf(begin, [open, byKey, byOwner]), 1, begin.time, standInSigner)
    assert.deepEqual(receipts.map(verdictOf), ['executed', 'executed', 'sessionKey'])
  })

  test('where the genesis names an admission key, only its tokens open sessions', () => {
    const developer = seededBytes('developer')
    const genesis = genesisWith({}, { admissionKey: addressOf(publicKeyOf(developer)).slice() })
    const state = stateOf(genesis)
    const until = (startTime + 5) * 1000
    const ann = account('owner of 0')
    const token = admissionToken(nobleHasher, nobleCurve, genesis.clusterId, ann, until, developer)
    const otherCluster = admissionToken(nobleHasher, nobleCurve, seededBytes('cluster'), ann, until, developer)
    const forged = admissionToken(nobleHasher, nobleCurve, genesis.clusterId, ann, until, seededBytes('eve'))
    const longer = token.slice()
    longer[7] = (longer[7] as number) ^ 1
    const malformed = token.slice()
    malformed[72] = 2
    const at = (seconds: number, admission: Uint8Array, owner = ann): string[] => {
      const fresh = stateOf(genesis)
      const begin = beginOf(fresh, { height: 1, milliseconds: (startTime + seconds) * 1000 })
      const open = opening({ slot: 0, owner, admission })
      return executeBlock(fresh, blockDataOf(begin, [open]), 1, begin.time, standInSigner).receipts.map(verdictOf)
    }
    assert.deepEqual(at(5, token), ['executed'])
    const refused: [number, Uint8Array, Uint8Array?][] = [
      [6, token],
      [5, new Uint8Array(0)],
      [5, otherCluster],
      [5, forged],
      [5, longer],
      [5, malformed],
      [5, token.subarray(1)],
      [5, token, account('ben')],
    ]
    for (const [seconds, admission, owner] of refused) assert.deepEqual(at(seconds, admission, owner), ['admission'])
    const view = new SessionView(state)
    const moment = { height: 1, milliseconds: (startTime + 1) * 1000 }
    const judged = (admission: Uint8Array): string => view.judge(opening({ slot: 0, admission }), moment).readiness
    assert.deepEqual([judged(token), judged(forged)], ['ready', 'useless'])
  })
})

function count<Value extends string>(seen: Map<string, number>, verdict: Value): Value {
  seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
  return verdict
}
