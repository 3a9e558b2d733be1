/** `onus dev`: the backend on a local cluster, rebuilt and reloaded on save; and `onus dev break`, which damages it. */
import { dirname } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import { clusterOf, type DevPart } from '../cluster/clusterFile.js'
import { devGone, isDevRunning } from '../cluster/devState.js'
import type { Command, Context, Parsed } from '../command/command.js'
import { failureText } from '../command/output.js'
import { choiceOption, integerOption, parseCommand, usageError } from '../command/parse.js'
import { findBinary } from '../demo/localCluster.js'
import { askControl } from '../dev/control.js'
import { runningSession } from '../dev/devFiles.js'
import { DevSession } from '../dev/devSession.js'
import { keyHelp, listenToKeys, splitWords } from '../dev/keyboard.js'
import { type Removed, removeStaleSession } from '../dev/staleSession.js'
import { findProject } from '../project/project.js'
import { callCommand } from './call.js'

function breakPlan(parsed: Parsed, words: readonly string[]): { nodes: number[]; how: 'lie' | 'kill' } {
  const nodes = words
    .flatMap((word) => word.split(','))
    .map((word) => (/^\d{1,3}$/.test(word) ? Number(word) : Number.NaN))
  const how = parsed.flags.has('lie') ? 'lie' : 'kill'
  if (parsed.flags.has('lie') === parsed.flags.has('kill'))
    throw usageError('onus dev break: expected --lie or --kill', 'dev')
  if (nodes.length === 0 || nodes.some(Number.isNaN))
    throw usageError(
      `onus dev break: expected numbers of nodes such as 3 or 1,2,3, got ${words.join(' ') || 'none'}`,
      'dev',
    )
  return { nodes, how }
}

/** `--lie` and `--kill` damage nodes that run; a cluster that starts takes no notice of them. */
function checkNoBreak({ flags }: Parsed): void {
  for (const flag of ['lie', 'kill'])
    if (flags.has(flag))
      throw new OnusError('usage', `onus dev: --${flag} belongs to \`onus dev break\``, {
        remedy: `start the cluster, then in another terminal: npx onus dev break 3 --${flag}`,
      })
}

async function runBreak(context: Context): Promise<number> {
  const { output, folder, positionals } = context
  const plan = breakPlan(context, positionals.slice(1))
  const cluster = await clusterOf(context, folder)
  if (cluster.dev === null)
    throw new OnusError('no-dev', 'only a cluster of `onus dev` can be broken', { remedy: 'start one: npx onus dev' })
  if (!(await isDevRunning(cluster.dev))) throw devGone(cluster.dev)
  const result = await askControl(cluster.dev.control, { command: 'break', ...plan }, (text) =>
    output.progress.update(text),
  )
  output.progress.clear()
  output.line(`  ${String(result['text'])}`)
  output.result(result)
  return 0
}

async function runStop(context: Context): Promise<number> {
  const { dev, file } = await clusterOf(context, context.folder)
  if (dev === null)
    throw new OnusError('no-dev', 'there is no `onus dev` to stop', { remedy: 'stop it where it was started' })
  if (!(await isDevRunning(dev))) return removeStale(context, dev, dirname(dirname(file)))
  context.output.result(await askControl(dev.control, { command: 'stop' }, () => undefined))
  context.output.line('✔ stopping')
  return 0
}

/** The session was killed: there is nothing to stop, and what it left goes. */
async function removeStale({ output }: Context, dev: DevPart, root: string): Promise<number> {
  const removed = await removeStaleSession(root, output.progress)
  output.line(`✔ \`onus dev\` does not run any more (it was process ${dev.pid})${removedText(removed)}`)
  output.result({ stopping: false, removed: removed?.folder ?? null })
  return 0
}

function removedText(removed: Removed | null): string {
  if (removed === null) return ''
  return `; removed what it left: .onus${removed.folder === null ? '' : ` and ${removed.folder}`}`
}

function untilSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(0))
  })
}

/** Runs a line typed behind `c`; its failure is shown and ends nothing. */
async function callFromKeys(context: Context, line: string): Promise<void> {
  try {
    const parsed = parseCommand(callCommand, splitWords(line))
    await callCommand.run({ ...context, ...parsed })
  } catch (error) {
    context.output.progress.clear()
    context.output.note(failureText(error))
  }
}

async function breakFromKeys(context: Context, session: DevSession, line: string): Promise<void> {
  try {
    const parsed = parseCommand(devCommand, ['break', ...splitWords(line)])
    const { nodes, how } = breakPlan(parsed, parsed.positionals.slice(1))
    const result = await session.break(nodes, how, (text) => context.output.progress.update(text))
    context.output.progress.clear()
    context.output.line(`  ${String(result['text'])}`)
  } catch (error) {
    context.output.progress.clear()
    context.output.note(failureText(error))
  }
}

async function run(context: Context): Promise<number> {
  const [action] = context.positionals
  if (action === 'break') return runBreak(context)
  if (action === 'stop') {
    checkNoBreak(context)
    return runStop(context)
  }
  if (action !== undefined) throw usageError(`onus dev: expected break or stop, got ${JSON.stringify(action)}`, 'dev')
  checkNoBreak(context)
  const { output, folder } = context
  const nodes = integerOption(context, 'dev', 'nodes', { least: 4, most: 16, otherwise: 4 })
  const port = integerOption(context, 'dev', 'port', { least: 1, most: 65_000, otherwise: 7000 })
  const engine = choiceOption(context, 'dev', 'engine', ['cometbft', 'embedded'])
  const project = await findProject(folder)
  const other = await runningSession(project.root)
  if (other !== null)
    throw new OnusError(
      'dev-running',
      `\`onus dev\` runs for this project already (process ${other.pid}, page ${other.web})`,
      {
        remedy: 'use it, or stop it: npx onus dev stop',
      },
    )
  const stale = await removeStaleSession(project.root, output.progress)
  if (stale !== null) output.note(`! an earlier \`onus dev\` was killed${removedText(stale)}`)
  const interrupted = untilSignal()
  const cometbft = await findBinary(engine, output.progress)
  const session = await DevSession.start({ project, output, nodes, cometbft, port })
  const stopKeys =
    process.stdin.isTTY && !output.isJson
      ? listenToKeys({
          call: (line) => callFromKeys(context, line),
          break: (line) => breakFromKeys(context, session, line),
          quit: () => session.stop(),
          logs: () => session.logs,
        })
      : () => undefined
  output.line(process.stdin.isTTY ? keyHelp : '  Ctrl-C, or onus dev stop, ends it')
  try {
    return await Promise.race([session.ended, interrupted])
  } finally {
    stopKeys()
    output.progress.update('stopping')
    await session.close()
    output.progress.clear()
    output.line('✔ stopped')
  }
}

export const devCommand: Command = {
  name: 'dev',
  about: 'run the backend on a local cluster; rebuilds and reloads on save',
  details: `Builds, starts the nodes, serves the page in web/, and watches the sources. A save is reloaded in about a second; the
state is kept when the new code can go on with it, else the reason is told. What it writes to .onus/ is what call,
query and status use. The cluster is new at each start.

onus dev break NODES --lie|--kill   makes nodes of the running cluster lie, or kills them (they come back)
onus dev stop                       ends the running session`,
  positionals: [
    { name: 'ACTION', about: 'break or stop; without it the cluster runs', isOptional: true },
    { name: 'NODES', about: 'with break: numbers from 1, such as 3 or 1,2,3', isRest: true },
  ],
  options: {
    nodes: { value: 'N', about: 'number of nodes, 4 to 16 (default 4)' },
    engine: { value: 'NAME', about: 'cometbft or embedded (default: CometBFT where Go or a cached build is there)' },
    port: { value: 'PORT', about: 'port of the page (default 7000, or the next free one)' },
    lie: { about: 'with break: the nodes sign wrong results until the next reload' },
    kill: {
      about: 'with break: kill -9; the nodes start again by themselves (embedded engine: all nodes, one process)',
    },
  },
  examples: [
    { command: 'onus dev', about: 'four nodes' },
    { command: 'onus dev --engine embedded --nodes 7', about: 'without CometBFT, seven nodes in one process' },
    { command: 'onus dev break 3 --lie', about: 'node 3 now signs a wrong result' },
  ],
  run,
}
