/**
 * One HTTP request with a deadline and a bound on the answer's bytes, checked while it streams in. Gives an outcome,
 * never an exception: a node may do anything. Redirects are errors, for a node must not send a client elsewhere.
 */
import type { Lifetime } from './lifetime.js'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** Begins with `/v1/`. */
  readonly path: string
  readonly body: Uint8Array | null
  /** More bytes than this are no answer. */
  readonly maximumBytes: number
  /** Milliseconds until the last byte of the answer. */
  readonly deadline: number
}

export type HttpOutcome =
  | {
      readonly kind: 'reply'
      readonly status: number
      readonly bytes: Uint8Array
      /** Of the header `retry-after`, in milliseconds. */
      readonly retryAfter: number | null
    }
  | { readonly kind: 'too-long'; readonly bytes: Uint8Array }
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'deadline' }
  /** The request's lifetime ended. */
  | { readonly kind: 'aborted' }

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

async function readBody(response: Response, maximumBytes: number): Promise<{ bytes: Uint8Array; whole: boolean }> {
  if (response.body === null) return { bytes: new Uint8Array(0), whole: true }
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { bytes: joined(chunks, length), whole: true }
    chunks.push(value)
    length += value.length
    if (length > maximumBytes) {
      reader.cancel().catch(() => undefined)
      return { bytes: joined(chunks, length).subarray(0, maximumBytes), whole: false }
    }
  }
}

function retryAfterOf(response: Response): number | null {
  const text = response.headers.get('retry-after')
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : null
}

async function exchange(fetch: Fetch, node: string, request: HttpRequest, signal: AbortSignal): Promise<HttpOutcome> {
  const init: RequestInit = {
    method: request.method,
    signal,
    redirect: 'error',
    credentials: 'omit',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  }
  if (request.body !== null) {
    init.body = request.body as Uint8Array<ArrayBuffer>
    init.headers = { 'content-type': 'application/octet-stream' }
  }
  const response = await fetch(node + request.path, init)
  const { bytes, whole } = await readBody(response, request.maximumBytes)
  if (!whole) return { kind: 'too-long', bytes }
  return { kind: 'reply', status: response.status, bytes, retryAfter: retryAfterOf(response) }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

/** Sends `request` to `node` (a URL without a slash at its end). Ends at the deadline even where `fetch` would not. */
export async function sendRequest(
  fetch: Fetch,
  node: string,
  request: HttpRequest,
  lifetime: Lifetime,
): Promise<HttpOutcome> {
  if (lifetime.isOver) return { kind: 'aborted' }
  const controller = new AbortController()
  let end: (outcome: HttpOutcome) => void = () => undefined
  const ended = new Promise<HttpOutcome>((resolve) => {
    end = resolve
  })
  const timer = setTimeout(() => end({ kind: 'deadline' }), request.deadline)
  const takeBack = lifetime.onEnd(() => end({ kind: 'aborted' }))
  const exchanged = exchange(fetch, node, request, controller.signal).catch(
    (error: unknown): HttpOutcome => ({ kind: 'unreachable', message: messageOf(error) }),
  )
  const outcome = await Promise.race([exchanged, ended])
  clearTimeout(timer)
  takeBack()
  controller.abort()
  return outcome
}
