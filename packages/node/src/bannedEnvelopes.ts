/**
 * Envelopes under which a worker of this node died (S10): their keys, 32 bytes each, one after the other in a file. This
 * node never proposes them again; whether others do is theirs to decide.
 */
import { appendFile, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'

const fileName = 'banned-envelopes'
const keyLength = 32

/** Keys as Latin-1 strings; none where there is no file. What a power cut left of a last key is cut off. */
export async function readBannedEnvelopes(home: string): Promise<string[]> {
  const path = join(home, fileName)
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  const whole = bytes.length - (bytes.length % keyLength)
  if (whole < bytes.length) await truncate(path, whole)
  return Array.from({ length: whole / keyLength }, (_, index) =>
    bytes.toString('latin1', index * keyLength, (index + 1) * keyLength),
  )
}

export async function banEnvelope(home: string, key: string): Promise<void> {
  await appendFile(join(home, fileName), Buffer.from(key, 'latin1'), { flush: true })
}
