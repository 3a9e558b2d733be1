/**
 * One set-up at a time in one clone: two terminals that both type `npm start` must not run `npm ci` over each other.
 * The lock is a file with the owner's process id; the lock of a dead owner is void.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning } from './childProcess.mjs'
import { say, startClock } from './say.mjs'
import { SetupError } from './setupError.mjs'

const pollMilliseconds = 200
const longestWaitSeconds = 1200

/** Whether the lock became ours. A hard link appears with its content or not at all. */
function take(file) {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, String(process.pid))
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The process id in the lock, or undefined when there is no lock. */
function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

async function waitForTurn(file) {
  const elapsed = startClock()
  let nextNotice = 0
  while (!take(file)) {
    const owner = ownerOf(file)
    if (owner === undefined) continue
    if (!isRunning(owner)) {
      if (ownerOf(file) === owner) rmSync(file, { force: true })
      continue
    }
    if (Number(elapsed()) > longestWaitSeconds)
      throw new SetupError(
        `Process ${owner} has been setting up this clone for ${elapsed()} s. End it, or delete ${file}.`,
      )
    if (Number(elapsed()) >= nextNotice) {
      say(`waiting for process ${owner}, which is setting up this clone … ${elapsed()} s`)
      nextNotice += 10
    }
    await sleep(pollMilliseconds)
  }
}

/** Runs `action` while this process holds the set-up lock of the clone at `root`. Not reentrant. */
export async function withSetupLock(root, action) {
  const folder = join(root, '.onus')
  const file = join(folder, 'setup.lock')
  mkdirSync(folder, { recursive: true })
  await waitForTurn(file)
  try {
    return await action()
  } finally {
    rmSync(file, { force: true })
  }
}
