/** `onus call`: one typed, certified call. */
import type { Interface } from '@onus/protocol/interface/description'
import { toJsonValue } from '@onus/protocol/interface/jsonValue'
import { clusterOptions } from '../cluster/clusterFile.js'
import { oneHonestOf, readGenesis } from '../cluster/connectCluster.js'
import { describeCluster } from '../cluster/describeCluster.js'
import { readyCluster } from '../cluster/devState.js'
import type { Command, Context } from '../command/command.js'
import { integerOption } from '../command/parse.js'
import { currentKey, keysFolder } from '../keys/keyStore.js'
import { type CallOutcome, callEntry } from '../operations/callEntry.js'
import { findEntry } from '../operations/findEntry.js'
import { showQuery } from '../operations/queryEntry.js'
import { printValue } from '../values/printValue.js'
import { readArguments } from '../values/readArguments.js'

/** An event by the names of its fields, in the JSON form of the interface. */
function eventJson(
  description: Interface,
  { name, value }: NonNullable<CallOutcome['events']>[number],
): Readonly<Record<string, unknown>> {
  const fields = description.events?.find((event) => event.name === name)?.fields ?? []
  return {
    name,
    value: Object.fromEntries(fields.map(([field, type]) => [field, toJsonValue(description, type, value[field])])),
  }
}

async function run(context: Context): Promise<number> {
  const { output, folder, values, positionals } = context
  const [name = '', ...words] = positionals
  const timeout = 1000 * integerOption(context, 'call', 'timeout', { least: 1, most: 600, otherwise: 30 })
  const cluster = await readyCluster(context, folder, output.progress)
  const genesis = await readGenesis(cluster)
  const description = await describeCluster(cluster, oneHonestOf(genesis))
  const entry = findEntry(description, name, null)
  const args = readArguments(description, entry, words)
  if (entry.kind === 'query')
    return showQuery(output, { cluster, genesis, description, entry, args, height: null, node: null })
  const keys = keysFolder(values.get('keys'))
  const key = await currentKey(keys, values.get('key'))
  output.progress.update(
    `waiting for more than 2/3 of ${genesis.validators.validators.length} nodes to certify ${name}`,
  )
  const {
    value,
    report,
    events = [],
  } = await callEntry({ cluster, genesis, description, entry, args, keys, key, timeout })
  const members = genesis.validators.validators.length
  const note = `certified by ${report.certifiedBy.length} of ${members} · block ${report.height} · ${Math.round(report.latency.total)} ms`
  output.progress.clear()
  output.value(entry.result === null ? 'done' : printValue(value), note)
  for (const event of events) output.line(`  event ${event.name} ${printValue(event.value, 2)}`)
  output.result({
    value: entry.result === null ? null : toJsonValue(description, entry.result, value),
    events: events.map((event) => eventJson(description, event)),
    certifiedBy: report.certifiedBy,
    members,
    height: report.height,
    milliseconds: report.latency.total,
    gasUsed: report.gasUsed,
    transactionId: report.transactionId,
    caller: key.address,
  })
  return 0
}

export const callCommand: Command = {
  name: 'call',
  about: 'call an entry of the backend; waits until the result is certified and verified',
  details: `Each argument is JSON, or a bare text where the entry takes a text. A wrong argument is refused before anything is
sent. The value is printed on standard output once more than 2/3 of the nodes signed it and the signatures are verified. A
query is asked, as by \`onus query\`.`,
  positionals: [
    { name: 'ENTRY', about: 'name of the entry' },
    { name: 'ARGUMENT', about: 'its arguments in order', isRest: true },
  ],
  options: {
    ...clusterOptions,
    key: { value: 'NAME', about: 'key that signs (default: that of `onus keys use`)' },
    keys: { value: 'DIR', about: 'folder of the keys' },
    timeout: { value: 'SECONDS', about: 'wait at most so long for the certificate (default 30)' },
  },
  examples: [
    { command: 'onus call add "buy milk"', about: 'a text may be bare' },
    { command: `onus call add '"7"'`, about: 'a text that looks like a number' },
    {
      command: `onus call addMany '[{"name":"Luzern","population":82000}]' --json`,
      about: 'records as JSON; one JSON object as answer',
    },
  ],
  run,
}
