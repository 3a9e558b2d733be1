/**
 * The commands behind the npm scripts: install, build, then hand over. The product's own programs (cluster, benchmarks)
 * are loaded into this process, so that terminal, signals and exit code are theirs without a middleman.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runTests } from '../test.mjs'
import { build } from './build.mjs'
import { ensureInstalled } from './install.mjs'
import { repositoryRoot as root } from './root.mjs'
import { say } from './say.mjs'
import { SetupError } from './setupError.mjs'
import { withSetupLock } from './setupLock.mjs'
import { format } from './staticChecks.mjs'

async function install() {
  await withSetupLock(root, () => ensureInstalled(root))
}

async function installAndBuild() {
  await withSetupLock(root, async () => {
    await ensureInstalled(root)
    await build(root)
  })
}

/** Loads the compiled program `path` as if Node had been started with it and `args`. */
async function handOver(path, args) {
  const program = join(root, path)
  if (!existsSync(program)) {
    throw new SetupError(
      `${path} does not exist after the build: this checkout does not contain ${path.replace('dist/src', 'src').replace('.js', '.ts')}.`,
    )
  }
  process.argv = [process.execPath, program, ...args]
  await import(pathToFileURL(program).href)
}

const commands = {
  async start(args) {
    await installAndBuild()
    await handOver('packages/cli/dist/src/main.js', ['start', ...args])
  },
  async bench(args) {
    await installAndBuild()
    await handOver('bench/dist/src/main.js', args)
  },
  async build() {
    await installAndBuild()
  },
  async check() {
    await install()
    process.exitCode = await runTests(root, ['--only', '^static$'])
  },
  async format() {
    await install()
    const { passed, output } = await format(root)
    if (!passed) throw new SetupError('What is named above has to be mended by hand.', output)
  },
  async test(args) {
    await install()
    process.exitCode = await runTests(root, args)
  },
}

const usage = `Usage: npm start | npm test | npm run bench -- NAME | npm run build | check | format
Options of a command follow "--", such as: npm start -- --once --json`

/** Runs the command line `args`. Sets the exit code: 1 when set-up fails, 2 on wrong usage, else the command's own. */
export async function main([name, ...args]) {
  if (name === undefined || !Object.hasOwn(commands, name)) {
    say(name === undefined ? usage : `There is no command ${name}.\n${usage}`)
    process.exitCode = 2
    return
  }
  try {
    await commands[name](args)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    if (error.output !== '') say(error.output)
    say(error.message)
    process.exitCode = 1
  }
}
