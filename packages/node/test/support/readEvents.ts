/** Reads Server-Sent Events of a gateway as they come, and what they carry. */

export interface StreamMessage {
  readonly type: string
  readonly id: string | null
  readonly data: Record<string, unknown>
}

export interface EventReader {
  readonly messages: StreamMessage[]
  /** Resolves when `isEnough` holds; fails after 20 s with what came. */
  until(isEnough: (messages: readonly StreamMessage[]) => boolean): Promise<void>
  close(): void
}

function messageOf(text: string): StreamMessage {
  const field = (name: string): string | null => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? null
  return { type: field('event') ?? 'message', id: field('id'), data: JSON.parse(field('data') ?? '{}') }
}

export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const controller = new AbortController()
  const response = await fetch(url, { headers, signal: controller.signal })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  const messages: StreamMessage[] = []
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString('utf8')
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      messages.push(...parts.map(messageOf))
    }
  })()
  reading.catch(() => undefined)
  return {
    messages,
    async until(isEnough) {
      for (const end = Date.now() + 20_000; !isEnough(messages); ) {
        if (Date.now() > end) throw new Error(`not within 20 s: ${JSON.stringify(messages).slice(0, 2000)}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    close: () => controller.abort(),
  }
}
