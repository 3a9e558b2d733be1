/**
 * Opens the stream of events of one node and ends it at the end of a lifetime, or when nothing comes for too long.
 * Redirects are errors, for a node must not send a client elsewhere.
 */
import { OnusError } from '@onus/protocol/errors'
import { readGatewayError } from './gatewayError.js'
import type { Fetch } from './http.js'
import type { Lifetime } from './lifetime.js'

export type OpenedStream =
  | {
      readonly kind: 'open'
      readonly body: ReadableStream<Uint8Array>
      /** Something came: the silence is over. */
      alive(): void
      close(): void
    }
  | { readonly kind: 'refused'; readonly error: OnusError }
  | { readonly kind: 'failed'; readonly reason: 'dead' | 'slow'; readonly error: OnusError }

/** Bytes of an error that are read. */
const maximumError = 4096

async function refusalOf(response: Response): Promise<OpenedStream> {
  const reader = response.body?.getReader()
  const { value } = (await reader?.read()) ?? { value: undefined }
  reader?.cancel().catch(() => undefined)
  const error = value === undefined ? null : readGatewayError(value.subarray(0, maximumError))
  if (error === null) {
    const what = new OnusError(`http-${response.status}`, `HTTP ${response.status} without a gateway's error`)
    return { kind: 'failed', reason: 'dead', error: what }
  }
  return { kind: 'refused', error: new OnusError(error.code, error.message) }
}

/** Waits `deadline` milliseconds for the answer, and then at most `silence` for each message. Never rejects. */
export async function openEventStream(
  fetch: Fetch,
  node: string,
  path: string,
  deadline: number,
  silence: number,
  lifetime: Lifetime,
): Promise<OpenedStream> {
  const controller = new AbortController()
  let timer = setTimeout(() => controller.abort(), deadline)
  const takeBack = lifetime.onEnd(() => controller.abort())
  const close = (): void => {
    clearTimeout(timer)
    takeBack()
    controller.abort()
  }
  const alive = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => controller.abort(), silence)
  }
  const init: RequestInit = {
    signal: controller.signal,
    redirect: 'error',
    credentials: 'omit',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
    headers: { accept: 'text/event-stream' },
  }
  try {
    const response = await fetch(node + path, init)
    if (response.status === 200 && response.body !== null) {
      alive()
      return { kind: 'open', body: response.body, alive, close }
    }
    const refused = await refusalOf(response)
    close()
    return refused
  } catch (error) {
    const isSlow = controller.signal.aborted
    close()
    const code = isSlow ? 'deadline' : 'unreachable'
    return { kind: 'failed', reason: isSlow ? 'slow' : 'dead', error: new OnusError(code, String(error)) }
  }
}
