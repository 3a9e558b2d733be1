/**
 * What some tests need and not every machine has: how to find it, how to get it, and, where that is allowed, getting
 * it. Only Chromium is provided, only by root on Debian (a container or CI), never through sudo.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { describeEnd, runProcess } from './lib/childProcess.mjs'
import { waiting } from './lib/say.mjs'

const probeSeconds = 60
const aptSeconds = 900

/** First line that `command --version` (or `args`) prints to stdout, or undefined if it does not run. */
async function versionOf(command, args = ['--version']) {
  const lines = []
  const onStdoutLine = (line) => lines.push(line.trim())
  const result = await runProcess(command, args, { env: process.env, seconds: probeSeconds, onStdoutLine })
  return result.code === 0 ? (lines[0] ?? command) : undefined
}

function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

async function findGo() {
  const command = onPath('go')
  const version = command && (await versionOf(command, ['version']))
  return version === undefined ? { missing: 'no working Go on the path' } : { found: command, version }
}

/** Browsers that Playwright downloaded, newest first. */
function playwrightBrowsers() {
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache', 'ms-playwright')
  if (!existsSync(cache)) return []
  return readdirSync(cache)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
    .flatMap((name) => ['chrome-linux/chrome', 'chrome-linux64/chrome'].map((path) => join(cache, name, path)))
}

async function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const candidates = [
    process.env.ONUS_CHROMIUM,
    ...names.map(onPath),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ...playwrightBrowsers(),
  ]
  for (const path of candidates) {
    if (path === undefined || !existsSync(path)) continue
    const version = await versionOf(path)
    if (version !== undefined) return { found: path, version }
  }
  return { missing: 'no working Chromium or Chrome found' }
}

function mayUseApt() {
  if (process.getuid?.() !== 0 || !existsSync('/etc/os-release')) return false
  return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

async function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = await waiting(`apt-get ${args.join(' ')}`, () =>
    runProcess('apt-get', args, { env, seconds: aptSeconds }),
  )
  return result.code === 0 ? undefined : `apt-get ${args[0]} ${describeEnd(result, aptSeconds)}:\n${result.output}`
}

async function provideChromium() {
  if (!mayUseApt()) return { missing: 'no working Chromium or Chrome found, and only root on Debian may install one' }
  const failure = (await apt(['update'])) ?? (await apt(['install', '-y', '--no-install-recommends', 'chromium']))
  return failure === undefined ? findChromium() : { missing: failure }
}

function findShared(root) {
  const path = join(dirname(root), 'shared', 'testdata')
  return existsSync(path) ? { found: path, version: path } : { missing: `${path} does not exist` }
}

function findRoot() {
  return process.getuid?.() === 0 ? { found: 'uid 0', version: 'uid 0' } : { missing: 'not run as root' }
}

/**
 * By name, which is also what a test's skip reason begins with (`needs go: …`). `find(root)` gives `{ found, version }`
 * or `{ missing }`; `provide()` likewise, after trying to get it.
 */
export const capabilities = {
  go: { title: 'Go', how: 'install Go from https://go.dev/dl and put it on the path', find: findGo },
  chromium: {
    title: 'Chromium',
    how: 'install Chromium (Debian: apt-get install chromium), or set ONUS_CHROMIUM to its path',
    find: findChromium,
    provide: provideChromium,
  },
  shared: { title: 'shared test data', how: 'put the shared test data at ../shared/testdata', find: findShared },
  root: { title: 'root', how: 'run it in a container as root', find: findRoot },
}

/** Finds each capability of `names` and, where that is allowed, gets what is missing: a map from name to the result. */
export async function findCapabilities(root, names) {
  const results = new Map()
  for (const name of new Set(names)) {
    const capability = capabilities[name]
    let result = await capability.find(root)
    if (result.missing !== undefined && capability.provide !== undefined) result = await capability.provide()
    results.set(name, result)
  }
  return results
}
