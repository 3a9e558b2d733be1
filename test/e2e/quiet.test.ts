/** Networks that nothing happens to, of 4, 7 and 16 nodes; and all nodes in one process over the embedded engine. */
import { describe, test } from 'node:test'
import { readManifest } from './network.js'
import { reportLine, runNetwork } from './runNetwork.js'
import { findCometbft } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

describe('quiet networks', { skip }, () => {
  for (const [name, what] of [
    ['quiet4', 'four nodes'],
    ['quiet7', 'seven nodes'],
  ] as const)
    test(`${what} (${name})`, { timeout: 120_000 }, async () => {
      const manifest = await readManifest(name)
      console.log(reportLine(manifest, await runNetwork(manifest, path)))
    })

  const leftOut = process.env['ONUS_NIGHTLY'] === '1' ? false : 'nightly: 16 nodes take minutes on two cores'
  test('sixteen nodes certify 1,000 calls (scale16)', { skip: leftOut, timeout: 900_000 }, async () => {
    const manifest = await readManifest('scale16')
    console.log(reportLine(manifest, await runNetwork(manifest, path)))
  })
})

describe('the embedded engine', () => {
  for (const [name, what] of [
    ['embedded4', 'four nodes in one process'],
    ['embeddedKill', 'kill -9 of the process under load'],
  ] as const)
    test(`${what} (${name})`, { timeout: 120_000 }, async () => {
      const manifest = await readManifest(name)
      console.log(reportLine(manifest, await runNetwork(manifest, null)))
    })
})
