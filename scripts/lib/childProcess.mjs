/**
 * Child processes with a time bound, in a process group of their own, so that a whole tree can be ended by the id
 * of its first process. A signal to this process ends the groups first and then this process by the same signal.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Time between SIGTERM and SIGKILL for a group that has to end. */
const graceMilliseconds = 5000
/** Output kept per child; a runaway child must not exhaust our memory. */
const outputLimit = 8 * 1024 * 1024
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP']

const liveGroups = new Set()

/** Whether process `pid` still runs. A zombie does not: in containers nobody may ever collect it. */
export function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    // ENOENT: a system without /proc, where the signal alone has to tell.
    return error.code === 'EPERM' || (error.code === 'ENOENT' && !existsSync('/proc/self/stat'))
  }
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function killLiveGroups() {
  for (const pid of liveGroups) signalGroup(pid, 'SIGKILL')
}

function endOnSignal(signal) {
  for (const pid of liveGroups) signalGroup(pid, 'SIGTERM')
  const started = Date.now()
  const timer = setInterval(() => {
    if (liveGroups.size > 0 && Date.now() - started < graceMilliseconds) return
    clearInterval(timer)
    killLiveGroups()
    for (const each of endingSignals) process.off(each, endOnSignal)
    process.kill(process.pid, signal)
  }, 50)
}

function watchSignals() {
  for (const signal of endingSignals) process.on(signal, endOnSignal)
  process.on('exit', killLiveGroups)
}

function unwatchSignals() {
  for (const signal of endingSignals) process.off(signal, endOnSignal)
  process.off('exit', killLiveGroups)
}

function track(pid) {
  if (liveGroups.size === 0) watchSignals()
  liveGroups.add(pid)
}

function untrack(pid) {
  liveGroups.delete(pid)
  if (liveGroups.size === 0) unwatchSignals()
}

/** Calls `onLine` for each line of `stream`, the unfinished last one included. */
function readLines(stream, onLine) {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}

/** Collects lines up to `outputLimit` characters and says how many it had to drop. */
function lineCollector() {
  const lines = []
  let size = 0
  let dropped = 0
  return {
    add(line) {
      size += line.length + 1
      if (size <= outputLimit) lines.push(line)
      else dropped++
    },
    text: () => (dropped === 0 ? lines.join('\n') : `${lines.join('\n')}\n(${dropped} more lines were dropped)`),
  }
}

/**
 * Runs `command` with no stdin and resolves, never rejects, when it and its pipes are closed:
 * `{ code, signal, output, timedOut, pid }`. `code` is null after a signal or when it could not start;
 * `output` is both streams in order of arrival, without the lines that `onStdoutLine` took.
 * Options: `cwd`, `env`, `seconds` (bound; the group is then ended), `onStdoutLine`.
 */
export function runProcess(command, args, { cwd, env, seconds, onStdoutLine }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const { pid } = child
    if (pid === undefined) {
      child.once('error', (error) =>
        resolve({ code: null, signal: null, output: error.message, timedOut: false, pid: undefined }),
      )
      return
    }
    track(pid)
    const collected = lineCollector()
    readLines(child.stdout, onStdoutLine ?? collected.add)
    readLines(child.stderr, collected.add)
    let timedOut = false
    let killTimer
    const bound = setTimeout(() => {
      timedOut = true
      signalGroup(pid, 'SIGTERM')
      killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMilliseconds)
    }, seconds * 1000)
    // A grandchild that outlives the child would hold the pipes open: the group ends with its first process.
    child.once('exit', () => signalGroup(pid, 'SIGKILL'))
    child.once('close', (code, signal) => {
      clearTimeout(bound)
      clearTimeout(killTimer)
      untrack(pid)
      resolve({ code, signal, output: collected.text(), timedOut, pid })
    })
  })
}

/** How a process ended, for people. */
export function describeEnd({ code, signal, timedOut, pid }, seconds) {
  if (timedOut) return `was not done within ${seconds} s and was killed (process group ${pid})`
  if (signal !== null) return `was ended by ${signal}`
  return code === null ? 'could not be started' : `ended with code ${code}`
}
