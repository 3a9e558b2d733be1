/**
 * Unix socket files shared with CometBFT. The path length is limited by the kernel, a file left by a killed process
 * must go before anyone listens again, and only the owner may connect: whoever reaches these sockets can ask for
 * signatures and blocks.
 */
import { lstat, unlink } from 'node:fs/promises'
import { OnusError } from '@onus/protocol/errors'

/** Linux allows 107 bytes, macOS 103. */
const maximumPathLength = 103

/** Rejects `socket-path` where the path is too long for a socket. */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path)
  if (length > maximumPathLength)
    throw new OnusError('socket-path', `expected a socket path of at most ${maximumPathLength} bytes, got ${length}`, {
      remedy: 'Choose a data directory with a shorter path.',
    })
}

/** Removes a socket file that nobody may still use. Rejects `socket-path` where something else than a socket is there. */
export async function removeSocketFile(path: string): Promise<void> {
  checkSocketPath(path)
  try {
    if (!(await lstat(path)).isSocket())
      throw new OnusError('socket-path', `expected a socket or nothing at ${path}, got another file`, {
        remedy: 'Move the file away.',
      })
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
