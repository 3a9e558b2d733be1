/** HTTP by hand over a TCP connection, for what no HTTP client sends. */
import { connect, type Socket } from 'node:net'

function open(url: string): Socket {
  const { hostname, port } = new URL(url)
  return connect(Number(port), hostname)
}

const patience = 10_000

/** Sends `parts` and gives everything that came until the node closed, answered whole, or `patience` was over. */
export function rawExchange(url: string, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = open(url)
    let answer = ''
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, patience)
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      // An error's body ends with its two braces; the connection may stay open behind it.
      if (answer.includes('\r\n\r\n') && answer.endsWith('}}')) end()
    })
    socket.on('close', end)
    socket.on('error', end)
    for (const part of parts) socket.write(part, 'latin1')
  })
}

/** Announces a body and never sends all of it; gives the answer when the node gives up, or fails after `most` ms. */
export function openSlowly(url: string, most: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = open(url)
    let answer = ''
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`a body that does not end was still waited for after ${most} ms`))
    }, most)
    const drip = setInterval(() => socket.write('x'), 1000)
    const end = (): void => {
      clearTimeout(timer)
      clearInterval(drip)
      resolve(answer)
    }
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('close', end)
    socket.on('error', () => undefined)
    socket.write(
      'POST /v1/envelopes HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 5000\r\n\r\n',
    )
  })
}
