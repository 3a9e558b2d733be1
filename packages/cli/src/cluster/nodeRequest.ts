/** One bounded GET to one node, for what is shown and not believed: status, interface, traps. */
import { OnusError } from '@onus/protocol/errors'

const patience = 5_000
const maximumBytes = 4 * 1024 * 1024

/** Rejects `node-unreachable` and `node-answer`. */
export async function getBytes(node: string, path: string): Promise<Uint8Array> {
  const url = `${node.replace(/\/$/, '')}${path}`
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(patience) })
  } catch (cause) {
    throw new OnusError('node-unreachable', `${url} does not answer`, { cause })
  }
  const bytes = await boundedBody(response, url)
  if (response.ok) return bytes
  throw new OnusError(
    'node-answer',
    `${url} answered ${response.status}: ${new TextDecoder().decode(bytes).slice(0, 300)}`,
  )
}

async function boundedBody(response: Response, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).length
    if (length > maximumBytes) throw new OnusError('node-answer', `${url} sends more than ${maximumBytes} bytes`)
    chunks.push(chunk as Uint8Array)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** The members of a JSON object; empty for anything else. */
export async function getJson(node: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await getBytes(node, path)
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof json === 'object' && json !== null) return json as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new OnusError('node-answer', `${node}${path} gave no JSON`, { cause })
  }
  throw new OnusError('node-answer', `${node}${path} gave no JSON object`)
}
