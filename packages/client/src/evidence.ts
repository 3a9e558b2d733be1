/**
 * Evidence of nodes that answered what cannot be true (`spec/client.md` 3): the raw answer, kept so that anyone can
 * check it again. Bounded in number and bytes; the oldest goes first.
 */

export interface Evidence {
  /** URL of the node. */
  readonly node: string
  /** What was asked, such as `POST /v1/envelopes`, and the body that was sent. */
  readonly request: string
  readonly body: Uint8Array | null
  /** Code of the check that failed. */
  readonly code: string
  /** What was expected and what came, for people. */
  readonly what: string
  /** The raw answer; of an endless one the beginning. */
  readonly bytes: Uint8Array
  /** Milliseconds since 1970 by this machine's clock, for people. */
  readonly at: number
}

const maximumItems = 64
const maximumBytes = 4 * 1024 * 1024
/** Of one answer; what fails in a longer one is found by asking again. */
const maximumAnswer = 256 * 1024

export interface EvidenceLog {
  readonly items: Evidence[]
}

export function createEvidenceLog(): EvidenceLog {
  return { items: [] }
}

function weight(item: Evidence): number {
  return item.bytes.length + (item.body?.length ?? 0)
}

export function keepEvidence(log: EvidenceLog, item: Evidence): void {
  log.items.push({
    ...item,
    bytes: item.bytes.slice(0, maximumAnswer),
    body: item.body?.slice(0, maximumAnswer) ?? null,
  })
  let bytes = log.items.reduce((sum, kept) => sum + weight(kept), 0)
  while (log.items.length > maximumItems || bytes > maximumBytes) {
    const oldest = log.items.shift()
    if (oldest !== undefined) bytes -= weight(oldest)
  }
}
