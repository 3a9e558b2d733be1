/**
 * Reads Server-Sent Events (WHATWG HTML 9.2) from the bytes of a response, in browsers and Node. Bounded: a message
 * longer than its limit ends the reading. Platforms' `EventSource` would not do: it follows redirects, sends cookies,
 * and reconnects to the same node.
 */
import { OnusError } from '@onus/protocol/errors'

export interface ServerSentEvent {
  /** `message` where none is named. */
  readonly type: string
  /** Empty in a message that only moves the id, or only shows that the connection lives. */
  readonly data: string
  readonly id: string | null
}

/** The events of `body`; rejects `event-too-long`, and as its reader does when the connection breaks. */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  maximumLength: number,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  // Pieces of the line that is not whole yet: joined once, however many there are.
  let pieces: string[] = []
  let length = 0
  let fields: string[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = decoder.decode(value, { stream: true }).split('\n')
      for (const [index, piece] of lines.entries()) {
        pieces.push(piece)
        length += piece.length
        if (length > maximumLength)
          throw new OnusError('event-too-long', `a message has more than ${maximumLength} characters`)
        if (index === lines.length - 1) break
        const line = pieces.join('').replace(/\r$/, '')
        pieces = []
        if (line !== '') fields.push(line)
        else {
          yield eventOf(fields)
          fields = []
          length = 0
        }
      }
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

function eventOf(lines: readonly string[]): ServerSentEvent {
  let type = 'message'
  let id: string | null = null
  const data: string[] = []
  for (const line of lines) {
    const at = line.indexOf(':')
    const name = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(line[at + 1] === ' ' ? at + 2 : at + 1)
    if (name === 'event') type = value
    else if (name === 'data') data.push(value)
    else if (name === 'id') id = value
  }
  return { type, data: data.join('\n'), id }
}
