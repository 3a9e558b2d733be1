/** Bytes that look random and are the same in every run, and folders that are gone when a test is over. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function seededBytes(label: string, length = 32): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0, part = 0; at < length; at += 32, part++)
    bytes.set(
      createHash('sha256')
        .update(`${label}/${part}`)
        .digest()
        .subarray(0, length - at),
      at,
    )
  return bytes
}

export async function withFolder<Result>(action: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'onus-test-'))
  try {
    return await action(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
