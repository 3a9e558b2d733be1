/**
 * Requests to a running `onus dev` over its socket: one JSON object a line each way. The socket lies in a folder that only
 * the user may enter. A request gets progress lines and then exactly one result or error.
 */
import { connect, createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'
import { OnusError } from '@onus/protocol/errors'

export interface BreakRequest {
  readonly command: 'break'
  /** From 1. */
  readonly nodes: readonly number[]
  readonly how: 'lie' | 'kill'
}

export type ControlRequest = BreakRequest | { readonly command: 'stop' }

type Reply =
  | { readonly progress: string }
  | { readonly result: Readonly<Record<string, unknown>> }
  | { readonly error: { readonly code: string; readonly message: string; readonly remedy?: string } }

export type Handle = (
  request: ControlRequest,
  progress: (text: string) => void,
) => Promise<Readonly<Record<string, unknown>>>

/** Name of the socket in the session's temporary folder. */
export const controlName = 'control.sock'
const longestLine = 65_536
const patience = 120_000

/** Rejects `control-form`. */
export function parseRequest(text: string): ControlRequest {
  const json = JSON.parse(text) as { command?: unknown; nodes?: unknown; how?: unknown }
  if (json.command === 'stop') return { command: 'stop' }
  const { nodes, how } = json
  if (json.command === 'break' && Array.isArray(nodes) && (how === 'lie' || how === 'kill'))
    return { command: 'break', nodes: nodes.map(Number), how }
  throw new OnusError('control-form', 'expected a request to break or to stop')
}

export async function serveControl(path: string, handle: Handle): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    const write = (reply: Reply): void => void (socket.writable && socket.write(`${JSON.stringify(reply)}\n`))
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('utf8')
      const end = received.indexOf('\n')
      if (end < 0 && received.length < longestLine) return
      socket.removeAllListeners('data')
      answer(received.slice(0, end), handle, write).finally(() => socket.end())
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return server
}

async function answer(line: string, handle: Handle, write: (reply: Reply) => void): Promise<void> {
  try {
    write({ result: await handle(parseRequest(line), (progress) => write({ progress })) })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (!(error instanceof OnusError)) return write({ error: { code: 'control-form', message } })
    const { code, remedy } = error
    write({ error: remedy === undefined ? { code, message } : { code, message, remedy } })
  }
}

/** Asks the session at `path`. Rejects `no-dev` where none is there, and what it rejects. */
export async function askControl(
  path: string,
  request: ControlRequest,
  progress: (text: string) => void,
): Promise<Readonly<Record<string, unknown>>> {
  const socket = connect(path)
  const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${patience / 1000} s`)), patience)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    socket.write(`${JSON.stringify(request)}\n`)
    for await (const line of createInterface({ input: socket })) {
      const reply = JSON.parse(line) as Reply
      if ('result' in reply) return reply.result
      if ('error' in reply) {
        const { code, message, remedy } = reply.error
        throw new OnusError(code, message, remedy === undefined ? {} : { remedy })
      }
      progress(reply.progress)
    }
    throw new Error('the connection ended')
  } catch (cause) {
    if (cause instanceof OnusError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new OnusError('no-dev', `\`onus dev\` does not answer at ${path}: ${reason}`, {
      remedy: 'start it: npx onus dev',
      cause,
    })
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
