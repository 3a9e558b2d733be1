/**
 * Open sessions between invocations, one for each key and cluster: opening one costs a block. A session is used by one
 * command at a time, held by a lock file with the process's id; whoever comes second works with a session of its own.
 */
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportedSession } from '@onus/client/exportedSession'

export interface HeldSession {
  /** null: none is stored, or it is in use. */
  readonly session: ExportedSession | null
  /** Keeps the session for the next command; null forgets it. Does nothing where the session was in use. */
  save(session: ExportedSession | null): Promise<void>
  release(): Promise<void>
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM'
  }
}

async function takeLock(lock: string): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(lock, 'wx', 0o600)
      await file.writeFile(String(process.pid))
      await file.close()
      return true
    } catch {
      const owner = Number(await readFile(lock, 'utf8').catch(() => '0'))
      if (owner > 0 && isRunning(owner)) return false
      // Its owner was killed.
      await rm(lock, { force: true })
    }
  }
  return false
}

function parse(text: string): ExportedSession | null {
  try {
    return JSON.parse(text) as ExportedSession
  } catch {
    return null
  }
}

/** `clusterId` and `address` as hexadecimal. What is in the file is checked by the client that imports it. */
export async function holdSession(keys: string, clusterId: string, address: string): Promise<HeldSession> {
  const folder = join(keys, 'sessions')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${clusterId.slice(0, 16)}-${address.replace(/^0x/, '')}.json`)
  const lock = `${file}.lock`
  if (!(await takeLock(lock))) return { session: null, save: () => Promise.resolve(), release: () => Promise.resolve() }
  const text = await readFile(file, 'utf8').catch(() => '')
  return {
    session: text === '' ? null : parse(text),
    save: async (session) => {
      if (session === null) return rm(file, { force: true })
      const temporary = `${file}.${process.pid}`
      await writeFile(temporary, JSON.stringify(session), { mode: 0o600 })
      await rename(temporary, file)
    },
    release: () => rm(lock, { force: true }),
  }
}
