/**
 * Random networks with random perturbations. Every run draws another seed and prints it; `ONUS_SEED` runs one again.
 * What failed once goes into `regressions/` as the manifest that the failure prints.
 */
import { describe, test } from 'node:test'
import { generateNetwork } from './generateNetwork.js'
import { reportLine, runNetwork } from './runNetwork.js'
import { findCometbft } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

const isNightly = process.env['ONUS_NIGHTLY'] === '1'
const given = process.env['ONUS_SEED']
const firstSeed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
const [few, many] = [2, 20]

async function runSeed(seed: number): Promise<void> {
  const manifest = generateNetwork(seed % 2 ** 31)
  console.log(JSON.stringify(manifest))
  console.log(reportLine(manifest, await runNetwork(manifest, path)))
}

describe('random networks', { skip }, () => {
  for (let index = 0; index < few; index++)
    test(`network ${index + 1}`, { timeout: 240_000 }, () => runSeed(firstSeed + index))

  const leftOut = isNightly ? false : `nightly: only ${few} of ${many} networks are drawn otherwise`
  test(`${many - few} more networks`, { skip: leftOut, timeout: many * 240_000 }, async () => {
    for (let index = few; index < many; index++) await runSeed(firstSeed + index)
  })
})
