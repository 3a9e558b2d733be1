/** Plain requests to a gateway, for what the client would not send or believes too much about. Nothing is retried. */
import { utf8Text } from '@onus/protocol/bytes'

export interface GatewayReply {
  readonly status: number
  readonly bytes: Uint8Array
  /** `error.code` of an error's body; null in an answer. */
  readonly code: string | null
  readonly headers: Headers
}

const patience = 20_000

function codeOf(status: number, bytes: Uint8Array): string | null {
  if (status === 200 || bytes.length === 0) return null
  const json = JSON.parse(utf8Text(bytes)) as { error?: { code?: unknown; message?: unknown } }
  if (typeof json.error?.code !== 'string' || typeof json.error.message !== 'string')
    throw new Error(`HTTP ${status} without a gateway's error: ${utf8Text(bytes)}`)
  return json.error.code
}

export async function request(url: string, init: RequestInit = {}): Promise<GatewayReply> {
  const response = await fetch(url, { signal: AbortSignal.timeout(patience), ...init })
  const bytes = new Uint8Array(await response.arrayBuffer())
  return { status: response.status, bytes, code: codeOf(response.status, bytes), headers: response.headers }
}

export function post(url: string, body: Uint8Array): Promise<GatewayReply> {
  return request(url, {
    method: 'POST',
    body: body as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': 'application/octet-stream' },
  })
}

/** What tests read of `/v1/status`. */
export interface NodeStatus {
  readonly state: string
  readonly height: number
  readonly certifiedHeight: number
  readonly pool: number
  readonly waiting: number
  readonly links: readonly string[]
  readonly signed: { readonly signed: number; readonly refused: Readonly<Record<string, number>> } | null
  readonly dissent: number | null
  readonly members: readonly { readonly address: string; readonly power: number }[]
}

export async function statusOf(url: string): Promise<NodeStatus> {
  const { bytes } = await request(`${url}/v1/status`)
  return JSON.parse(utf8Text(bytes)) as NodeStatus
}

/** Asks every 50 ms until `isReached`; fails with `what` and the last statuses after `milliseconds`. */
export async function untilStatus(
  urls: readonly string[],
  what: string,
  milliseconds: number,
  isReached: (statuses: readonly NodeStatus[]) => boolean,
): Promise<readonly NodeStatus[]> {
  for (const end = Date.now() + milliseconds; ; ) {
    const statuses = await Promise.all(urls.map(statusOf)).catch((error: unknown) => String(error))
    if (typeof statuses !== 'string' && isReached(statuses)) return statuses
    if (Date.now() > end) throw new Error(`${what}: not within ${milliseconds} ms: ${JSON.stringify(statuses)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Resolves once all nodes stand at one height with nothing on its way, twice in a row. */
export async function untilAtRest(urls: readonly string[], milliseconds: number): Promise<number> {
  let last = -1
  const [first] = await untilStatus(urls, 'nodes at rest at one height', milliseconds, (statuses) => {
    const height = statuses[0]?.height ?? 0
    const isEqual = statuses.every((one) => one.height === height && one.pool === 0)
    const isSame = isEqual && last === height
    last = isEqual ? height : -1
    return isSame
  })
  return first?.height ?? 0
}
