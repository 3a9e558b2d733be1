/** Where the homes of the nodes lie: in memory, where writing costs no `fsync`, or on the disk of the temporary folder. */
import { rmSync } from 'node:fs'
import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import { atExit } from './atExit.js'

export type Medium = 'tmpfs' | 'disk'

const memoryFolder = '/dev/shm'
/** `TMPFS_MAGIC` of Linux. */
const memoryFileSystem = 0x01021994

async function isInMemory(folder: string): Promise<boolean> {
  return statfs(folder).then(
    ({ type }) => type === memoryFileSystem,
    () => false,
  )
}

/** Rejects `no-tmpfs` and `no-disk` where the machine cannot give a medium that is to be measured. */
export async function checkMedia(media: readonly Medium[]): Promise<void> {
  if (process.platform !== 'linux' || !(await isInMemory(memoryFolder)))
    throw new OnusError('no-tmpfs', `the benchmark needs Linux with a file system in memory at ${memoryFolder}`)
  if (media.includes('disk') && (await isInMemory(tmpdir())))
    throw new OnusError('no-disk', `${tmpdir()} lies in memory, so it says nothing of a disk`, {
      remedy: 'set TMPDIR to a folder on a disk',
    })
}

/** Runs `use` with a fresh folder, whose path is short enough for sockets, and removes it. */
export async function withFolder<Value>(medium: Medium, use: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(medium === 'tmpfs' ? memoryFolder : tmpdir(), 'onus-bench-'))
  const forget = atExit(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  try {
    return await use(folder)
  } finally {
    forget()
    await rm(folder, { recursive: true, force: true })
  }
}
