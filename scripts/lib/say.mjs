/**
 * What the tooling says while it works. Everything goes to stderr, so that stdout belongs to the command
 * (the last line of `npm start -- --once --json` is its JSON object).
 */

/** Waits shorter than this are reported once, when they are over. */
const quietMilliseconds = 1500
const heartbeatMilliseconds = 10_000

export function say(text) {
  process.stderr.write(`${text}\n`)
}

/** A clock started now: returns the seconds since then with one decimal, as text. */
export function startClock() {
  const start = performance.now()
  return () => ((performance.now() - start) / 1000).toFixed(1)
}

/** Awaits `action()` and says what is waited for and for how long. `write` takes whole lines without the newline. */
export async function waiting(what, action, write = say) {
  const elapsed = startClock()
  const first = setTimeout(() => write(`${what} …`), quietMilliseconds)
  const heartbeat = setInterval(() => write(`${what} … ${elapsed()} s`), heartbeatMilliseconds)
  try {
    const result = await action()
    write(`${what}: ${elapsed()} s`)
    return result
  } finally {
    clearTimeout(first)
    clearInterval(heartbeat)
  }
}
