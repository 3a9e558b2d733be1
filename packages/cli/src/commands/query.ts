/** `onus query`: a typed question that f+1 nodes must answer alike. */
import { clusterOptions } from '../cluster/clusterFile.js'
import { oneHonestOf, readGenesis } from '../cluster/connectCluster.js'
import { describeCluster } from '../cluster/describeCluster.js'
import { readyCluster } from '../cluster/devState.js'
import type { Command, Context } from '../command/command.js'
import { integerOption } from '../command/parse.js'
import { findEntry } from '../operations/findEntry.js'
import { showQuery } from '../operations/queryEntry.js'
import { readArguments } from '../values/readArguments.js'

async function run(context: Context): Promise<number> {
  const { output, folder, values, positionals } = context
  const [name = '', ...words] = positionals
  const height = integerOption(context, 'query', 'height', { least: 0, most: 999_999_999, otherwise: -1 })
  const cluster = await readyCluster(context, folder, output.progress)
  const genesis = await readGenesis(cluster)
  const node = values.get('node') ?? null
  const description =
    node === null
      ? await describeCluster(cluster, oneHonestOf(genesis))
      : await describeCluster({ ...cluster, nodes: [node] }, 1)
  const entry = findEntry(description, name, 'query')
  const args = readArguments(description, entry, words)
  return showQuery(output, { cluster, genesis, description, entry, args, height: height < 0 ? null : height, node })
}

export const queryCommand: Command = {
  name: 'query',
  about: 'ask the backend; f+1 nodes must give the same answer for one block',
  positionals: [
    { name: 'ENTRY', about: 'name of the query' },
    { name: 'ARGUMENT', about: 'its arguments in order, JSON or bare texts', isRest: true },
  ],
  options: {
    ...clusterOptions,
    height: { value: 'BLOCK', about: 'state after this block; nodes keep the last 8' },
    node: { value: 'URL', about: 'believe this one node' },
  },
  examples: [
    { command: 'onus query list 0 10', about: 'two numbers' },
    { command: 'onus query list 0 10 --json', about: 'one JSON object: value, height, agreedBy' },
  ],
  run,
}
