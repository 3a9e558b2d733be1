/**
 * Networks from `regressions/` whose processes are killed, stopped and paused under load: every certified transaction
 * is there afterwards, none executed twice, all roots equal.
 */
import { describe, test } from 'node:test'
import { readManifest } from './network.js'
import { reportLine, runNetwork } from './runNetwork.js'
import { findCometbft } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

const networks = [
  ['killNode', 'kill -9 of a node process, and of a CometBFT'],
  ['killTwo', 'kill -9 of all processes of two nodes'],
  ['killAll', 'kill -9 of all eight processes, twice'],
  ['oneDead', 'one of four dead: calls go on; it catches up when it comes back'],
  ['pause', 'SIGSTOP of two nodes, one after the other'],
] as const

describe('perturbations under load', { skip }, () => {
  for (const [name, what] of networks)
    test(`${what} (${name})`, { timeout: 180_000 }, async () => {
      const manifest = await readManifest(name)
      console.log(reportLine(manifest, await runNetwork(manifest, path)))
    })
})
