/** The load source of Onus, a process of its own. Serves `LoadMethods`. */
import { connect } from '@onus/client/connect'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { assert } from '@onus/protocol/errors'
import { decodeGenesis, domainOfGenesis, type Genesis } from '@onus/protocol/genesis'
import { WebSocket } from 'ws'
import { ledger } from '../ledger/ledger.interface.js'
import { serveTasks } from '../system/taskProcess.js'
import { CertificateCache } from './certificateCache.js'
import { type LoopContext, runClosedLoop } from './closedLoop.js'
import { type LedgerCluster, runIdleCalls } from './idleCalls.js'
import type { LoadMethods, LoadOpening } from './loadMethods.js'
import { openSessions } from './openSessions.js'
import { runQueryLoop } from './queryLoop.js'
import type { LoadSession } from './signedEnvelopes.js'

interface Source {
  readonly opening: LoadOpening
  readonly context: LoopContext
  readonly sessions: readonly LoadSession[]
}

const hashing = createHashing()
const webSocket = (url: string, protocol: string): WebSocket =>
  new WebSocket(url, protocol, { perMessageDeflate: false })
let source: Source | null = null

function contextOf(genesis: Genesis): LoopContext {
  const { limits, initialHeight } = genesis
  return {
    hasher: hashing,
    domain: domainOfGenesis(genesis),
    certificates: new CertificateCache(hashing, nativeCurve, genesis),
    // A fresh cluster makes fewer blocks in a round than an expiry may lie ahead.
    expiry: () => ({
      height: initialHeight + limits.expiryBlocks - 2,
      time: Date.now() + limits.expiryMilliseconds / 2,
    }),
  }
}

function opened(): Source {
  assert(source !== null, 'sessions are opened first')
  return source
}

async function withClient<Value>(use: (cluster: LedgerCluster) => Promise<Value>): Promise<Value> {
  const { genesis, gatewayUrls } = opened().opening
  const cluster = await connect({
    genesis,
    nodes: gatewayUrls,
    interface: ledger,
    hasher: hashing,
    curve: nativeCurve,
    webSocket,
  })
  try {
    return await use(cluster)
  } finally {
    cluster.close()
  }
}

serveTasks<LoadMethods>({
  open: async (opening) => {
    const context = contextOf(decodeGenesis(opening.genesis))
    source = { opening, context, sessions: await openSessions(context, opening.gatewayUrls, opening.sessions) }
  },
  run: (run) => runClosedLoop(opened().context, opened().sessions, run),
  idle: ({ calls }) => withClient((cluster) => runIdleCalls(cluster, calls)),
  query: (plan) => runQueryLoop(opened().opening.gatewayUrls[0] as string, plan),
  total: () => withClient(async ({ query }) => (await query.total()).value),
})
