/**
 * The page of the browser test: `@onus/client` as any page would use it, bundled without polyfills. Reads its options
 * from `window.onusOptions`, shows what was certified, and leaves the same in `window.onusResult` for the test.
 */
import { connect } from '@onus/client/connect'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { decodeGenesis } from '@onus/protocol/genesis'
import { nobleHasher } from '@onus/protocol/hash'
import { nobleCurve } from '@onus/protocol/signature'
import { ledger } from '../e2e/backend/ledger.interface.js'

export interface PageOptions {
  readonly nodes: readonly string[]
  /** Base64 of the genesis file. */
  readonly genesis: string
}

export interface PageResult {
  readonly values: readonly number[]
  /** How many validators signed what the last value came with. */
  readonly certifiedBy: number
  readonly height: number
  readonly latency: number
  readonly count: number
  readonly agreedBy: readonly string[]
  readonly evidence: readonly { readonly node: string; readonly code: string }[]
  readonly health: readonly { readonly url: string; readonly lies: number }[]
  /** Milliseconds of one verification of a certificate, median of many, with the portable curve. */
  readonly verification: number
  readonly error: string | null
}

declare global {
  interface Window {
    onusOptions: PageOptions
    onusResult?: PageResult
  }
}

const verifications = 25

function show(lines: readonly string[]): void {
  const list = document.createElement('ul')
  for (const line of lines) {
    const item = document.createElement('li')
    item.textContent = line
    list.append(item)
  }
  document.body.append(list)
}

async function measureVerification(node: string, genesis: Uint8Array): Promise<number> {
  const response = await fetch(`${node}/v1/certificates/latest`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const trusted = decodeGenesis(genesis)
  const times = Array.from({ length: verifications }, () => {
    const started = performance.now()
    Certificate.verify(nobleHasher, nobleCurve, decodeCertificate(bytes), trusted)
    return performance.now() - started
  })
  return times.sort((a, b) => a - b)[Math.floor(verifications / 2)] as number
}

async function run({ nodes, genesis: encoded }: PageOptions): Promise<PageResult> {
  const genesis = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
  const cluster = await connect({ genesis, nodes, interface: ledger })
  const values: number[] = []
  let last = await cluster.send.add(1).until('certified')
  values.push(last.value)
  for (const amount of [2, 3, 4]) {
    last = await cluster.send.add(amount).until('certified')
    values.push(last.value)
  }
  const { value: count, report } = await cluster.query.count()
  const result: PageResult = {
    values,
    certifiedBy: last.report.certifiedBy.length,
    height: last.report.height,
    latency: last.report.latency.total,
    count,
    agreedBy: report.agreedBy,
    evidence: cluster.evidence.map(({ node, code }) => ({ node, code })),
    health: cluster.nodes.map(({ url, lies }) => ({ url, lies })),
    verification: await measureVerification(report.agreedBy[0] as string, genesis),
    error: null,
  }
  cluster.close()
  return result
}

const failed: PageResult = {
  values: [],
  certifiedBy: 0,
  height: 0,
  latency: 0,
  count: 0,
  agreedBy: [],
  evidence: [],
  health: [],
  verification: 0,
  error: null,
}

run(window.onusOptions).then(
  (result) => {
    show([
      `certified values: ${result.values.join(', ')}`,
      `signed by ${result.certifiedBy} validators in block ${result.height}, ${result.latency.toFixed(0)} ms`,
      `count() = ${result.count}, ${result.agreedBy.length} nodes agree`,
      `a certificate is verified in ${result.verification.toFixed(1)} ms`,
      ...result.evidence.map(({ node, code }) => `${node} lied: ${code}`),
    ])
    window.onusResult = result
  },
  (error: unknown) => {
    window.onusResult = { ...failed, error: String(error) }
  },
)
