/**
 * The home folder of one CometBFT process: configuration, node key and genesis, written before each start. The genesis
 * of a home never changes: CometBFT keeps the first one in its database and would silently go on with it.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import { type CometbftConfig, cometbftConfigText, homeFiles } from './config.js'
import { type CometbftGenesis, cometbftGenesisText } from './genesisFile.js'
import type { NodeKey } from './nodeKey.js'

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, path)
}

/** Makes or updates the home at `path`. Rejects `cometbft-genesis` where the home is of another genesis. */
export async function writeHome(
  path: string,
  config: CometbftConfig,
  genesis: CometbftGenesis,
  nodeKey: NodeKey,
): Promise<void> {
  for (const folder of ['config', 'data']) await mkdir(join(path, folder), { recursive: true, mode: 0o700 })
  const text = cometbftGenesisText(genesis)
  const existing = await readFile(join(path, homeFiles.genesis), 'utf8').catch(() => null)
  if (existing !== null && existing !== text)
    throw new OnusError('cometbft-genesis', `the home ${path} belongs to another genesis`, {
      remedy: 'Use a new data directory for a new epoch.',
    })
  if (existing === null) await writeWhole(join(path, homeFiles.genesis), text)
  await writeWhole(join(path, homeFiles.config), cometbftConfigText(config))
  await writeWhole(join(path, homeFiles.nodeKey), nodeKey.text)
}
