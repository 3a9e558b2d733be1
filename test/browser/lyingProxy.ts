/** A gateway in front of an honest node that changes its answers on the way: what a client must notice. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http'

export interface LyingProxy {
  readonly url: string
  /** Answers that it changed. */
  readonly lies: () => number
  stop(): Promise<void>
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Flips a bit of every binary answer about a third from its end: of a receipt, a certificate or a query's answer. */
function spoil(body: Buffer): Buffer {
  const changed = Buffer.from(body)
  const at = Math.floor(changed.length * 0.66)
  changed[at] = (changed[at] as number) ^ 1
  return changed
}

function ask(target: string, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target)
    const { method, url, headers } = incoming
    const outgoing = request({ hostname, port, method, path: url, headers: { ...headers, host: hostname } }, resolve)
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Listens on a free port of loopback and lies in the name of the gateway at `target`. */
export async function startLyingProxy(target: string): Promise<LyingProxy> {
  let lies = 0
  const server: Server = createServer(async (incoming, outgoing) => {
    try {
      const answer = await ask(target, incoming, await bodyOf(incoming))
      const body = await bodyOf(answer)
      const isBinary = answer.statusCode === 200 && answer.headers['content-type'] === 'application/octet-stream'
      if (isBinary) lies += 1
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      outgoing.end(isBinary ? spoil(body) : body)
    } catch {
      outgoing.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    lies: () => lies,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
