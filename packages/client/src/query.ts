/**
 * Queries (`spec/client.md` 7): a query is not certified, so f+1 nodes must give identical answers for one height, of
 * which one node is then honest. The height is the caller's or the first answer's. A caller who names one node trusts
 * that node, and the report says so.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { decodeQueryAnswer, type QueryAnswer } from '@onus/protocol/gatewayMessages'
import { maximumOutputLength } from '@onus/protocol/receipt'
import { type Answer, askUntil, errorOfFailure, gather, nodesInOrder, type Question } from './askNode.js'
import { type NodeFailure, NoNodeError } from './clientErrors.js'
import { keepEvidence } from './evidence.js'
import type { Network } from './network.js'
import { nodeUrl, type PoolNode, recordFailure } from './nodePool.js'

export interface QueryOptions {
  /** State after this block; nodes keep the last 8. Default: the newest that the first node has. */
  readonly height?: number
  /** URL of the one node to believe; nothing is compared then. */
  readonly node?: string
}

export interface AgreedAnswer {
  readonly height: number
  readonly output: Uint8Array
  /** URLs. */
  readonly agreedBy: readonly string[]
}

function queryQuestion(network: Network, request: Uint8Array, height: number | null): Question<QueryAnswer> {
  return {
    request: {
      method: 'POST',
      path: height === null ? '/v1/queries' : `/v1/queries?height=${height}`,
      body: request,
      maximumBytes: maximumOutputLength + 64,
      deadline: network.settings.timeouts.request,
    },
    read: (bytes) => {
      const answer = decodeQueryAnswer(bytes)
      if (height !== null && answer.height !== height)
        throw new OnusError('wrong-height', `asked for height ${height}, got the answer of ${answer.height}`)
      return answer
    },
  }
}

function outputOf(answer: QueryAnswer): Uint8Array {
  if (answer.trapped)
    throw new OnusError('query-trapped', `the query trapped at height ${answer.height}`, {
      remedy: 'check the arguments; the backend refused them or has a bug',
    })
  return answer.output
}

/** The first answer: at the newest state, but not older than what the user has seen. */
async function firstAnswer(
  network: Network,
  nodes: readonly PoolNode[],
  request: Uint8Array,
): Promise<Answer<QueryAnswer>> {
  const question = queryQuestion(network, request, null)
  const found = await askUntil(network, nodes, question)
  if (found.kind !== 'answer') throw errorOfFailure(question.request, found)
  if (found.value.height >= network.readHeight) return found
  // This node lags behind a value already given: it is asked to wait for that height, then the others.
  const again = queryQuestion(network, request, network.readHeight)
  const own = nodes.filter(({ url }) => url === found.node)
  const caughtUp = await askUntil(network, [...own, ...nodes.filter((node) => !own.includes(node))], again)
  if (caughtUp.kind !== 'answer') throw errorOfFailure(again.request, caughtUp)
  return caughtUp
}

/** Answers to one question, by node. */
interface Votes {
  readonly answers: Answer<QueryAnswer>[]
  readonly failures: NodeFailure[]
}

function largestGroup(answers: readonly Answer<QueryAnswer>[]): Answer<QueryAnswer>[] {
  let largest: Answer<QueryAnswer>[] = []
  for (const answer of answers) {
    const group = answers.filter(({ bytes }) => equalBytes(bytes, answer.bytes))
    if (group.length > largest.length) largest = group
  }
  return largest
}

/** Asks `nodes` at a height until f+1 of all answers, `first` among them, are identical. */
async function collectVotes(
  network: Network,
  nodes: readonly PoolNode[],
  question: Question<QueryAnswer>,
  first: Answer<QueryAnswer> | null,
): Promise<Votes> {
  const votes: Votes = { answers: first === null ? [] : [first], failures: [] }
  const missing = (): number => Math.max(0, network.trust.oneHonest - largestGroup(votes.answers).length)
  const others = nodes.filter(({ url }) => url !== first?.node)
  if (missing() === 0 || others.length === 0) return votes
  await gather(network, others, question, missing(), (reply) => {
    if ('failed' in reply) votes.failures.push(reply)
    else votes.answers.push(reply)
    return missing()
  })
  return votes
}

/** Nodes that gave another answer for the same height than f+1 did are put aside, and their answers kept. */
function accuseOthers(
  network: Network,
  question: Question<QueryAnswer>,
  votes: Votes,
  agreed: readonly Answer<QueryAnswer>[],
): void {
  for (const answer of votes.answers) {
    if (agreed.includes(answer)) continue
    const node = network.pool.find(({ url }) => url === answer.node)
    const message = `at height ${answer.value.height} its answer differs from that of ${agreed.length} other nodes`
    const failure = {
      node: answer.node,
      kind: 'lying',
      code: 'query-differs',
      message,
      passing: true,
      retryAfter: null,
    } as const
    if (node !== undefined) recordFailure(node, failure, true, performance.now())
    keepEvidence(network.evidence, {
      node: answer.node,
      request: `${question.request.method} ${question.request.path}`,
      body: question.request.body,
      code: failure.code,
      what: message,
      bytes: answer.bytes,
      at: Date.now(),
    })
  }
}

async function askOne(
  network: Network,
  request: Uint8Array,
  name: string,
  height: number | null,
): Promise<AgreedAnswer> {
  const url = nodeUrl(name)
  const node = network.pool.find((candidate) => candidate.url === url)
  if (node === undefined)
    throw new OnusError('unknown-node', `${url} is none of the nodes of this client`, {
      remedy: 'name it in the nodes of connect',
    })
  const question = queryQuestion(network, request, height)
  const found = await askUntil(network, [node], question)
  if (found.kind === 'answer')
    return { height: found.value.height, output: outputOf(found.value), agreedBy: [found.node] }
  // The caller believes this node, so its refusal counts as well.
  const refusal = found.failures.find(({ kind }) => kind === 'refused')
  throw refusal === undefined ? errorOfFailure(question.request, found) : new OnusError(refusal.code, refusal.message)
}

function disagreement(height: number, votes: Votes): OnusError {
  const answers = votes.answers.map(({ node }) => node).join(', ')
  const failures = votes.failures.map(({ node, code }) => `${node} ${code}`).join(', ')
  return new OnusError(
    'no-agreement',
    `no f+1 nodes gave one answer for height ${height}: answers of ${answers || 'none'}; ${failures || 'no failures'}`,
    { cause: votes.failures.length === 0 ? undefined : new NoNodeError('POST /v1/queries', votes.failures) },
  )
}

/** f+1 equal refusals of the votes of one height, such as `height-gone`. */
function refusalOf(network: Network, votes: Votes): OnusError | null {
  for (const { kind, code, message } of votes.failures) {
    const count = votes.failures.filter((failure) => failure.kind === 'refused' && failure.code === code).length
    if (kind === 'refused' && count >= network.trust.oneHonest) return new OnusError(code, message)
  }
  return null
}

/**
 * The answer that f+1 nodes agree on. Rejects `too-few-nodes`, `no-node`, `no-agreement`, `query-trapped`, `forked`, and
 * the code of f+1 nodes' refusal.
 */
export async function runQuery(network: Network, request: Uint8Array, options: QueryOptions): Promise<AgreedAnswer> {
  network.certificates.checkUnforked()
  const height = options.height ?? null
  if (height !== null && (!Number.isSafeInteger(height) || height < 0))
    throw new OnusError('option-range', `expected a height, got ${height}`, { path: 'height' })
  if (options.node !== undefined) return askOne(network, request, options.node, height)
  const { oneHonest } = network.trust
  if (network.pool.length < oneHonest)
    throw new OnusError('too-few-nodes', `${oneHonest} nodes must agree, ${network.pool.length} are known`, {
      remedy: 'give connect more nodes, or name the one that you trust: at({ node })',
    })
  return agree(network, request, height)
}

async function agree(network: Network, request: Uint8Array, height: number | null): Promise<AgreedAnswer> {
  const tried = new Set<string>()
  for (;;) {
    const nodes = nodesInOrder(network, null)
    const first = height === null ? await firstAnswer(network, untried(nodes, tried), request) : null
    const at = height ?? (first as Answer<QueryAnswer>).value.height
    const question = queryQuestion(network, request, at)
    const votes = await collectVotes(network, nodes, question, first)
    const agreed = largestGroup(votes.answers)
    const answer = agreed[0]
    if (answer !== undefined && agreed.length >= network.trust.oneHonest) {
      accuseOthers(network, question, votes, agreed)
      network.readHeight = Math.max(network.readHeight, at)
      return { height: at, output: outputOf(answer.value), agreedBy: agreed.map(({ node }) => node) }
    }
    if (first === null) throw refusalOf(network, votes) ?? disagreement(at, votes)
    // The first may have named a height that nobody has; another one is asked first.
    tried.add(first.node)
    if (tried.size === network.pool.length) throw disagreement(at, votes)
  }
}

function untried(nodes: readonly PoolNode[], tried: ReadonlySet<string>): PoolNode[] {
  return nodes.filter(({ url }) => !tried.has(url))
}
