/**
 * npm packages: `npm ci` when the lock file, Node or the platform changed since the last one. The stamp lies inside
 * node_modules, so deleting that folder, or an interrupted `npm ci` (which deletes it first), voids the stamp too.
 * Install scripts of packages are not run: every native package in use ships its binaries.
 */
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describeEnd, runProcess } from './childProcess.mjs'
import { contentHash, readStamp } from './contentHash.mjs'
import { say, waiting } from './say.mjs'
import { SetupError } from './setupError.mjs'

const installSeconds = 900

function stampFile(root) {
  return join(root, 'node_modules', '.onus-installed')
}

/** What the installed packages depend on, as a hash. */
export function installStamp(root) {
  return contentHash(root, [join(root, 'package-lock.json')], [process.version, process.platform, process.arch])
}

/** The npm that runs us, when npm runs us; else the one on the path. */
function npmCommand() {
  const running = process.env.npm_execpath
  return running !== undefined && basename(running) === 'npm-cli.js' ? [process.execPath, running] : ['npm']
}

/** Installs exactly what package-lock.json names, unless that is what is there. */
export async function ensureInstalled(root) {
  const stamp = installStamp(root)
  if (readStamp(stampFile(root)) === stamp) return
  const [command, ...before] = npmCommand()
  const args = [...before, 'ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']
  const result = await waiting('installing npm packages (npm ci)', () =>
    runProcess(command, args, { cwd: root, env: process.env, seconds: installSeconds }),
  )
  if (result.code !== 0) {
    throw new SetupError(
      `npm ci ${describeEnd(result, installSeconds)}. Is the package registry reachable? Its whole output is above.`,
      result.output,
    )
  }
  const summary = result.output.split('\n').find((line) => /^(added|up to date)/.test(line))
  if (summary !== undefined) say(`  ${summary}`)
  writeFileSync(stampFile(root), stamp)
}
