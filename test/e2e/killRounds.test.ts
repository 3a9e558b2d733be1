/**
 * Rounds of SIGKILL at any moment under load (`killRounds.ts`): 10 in each run, 100 nightly. Each run draws another seed
 * and prints it; ONUS_SEED runs one again.
 */
import { describe, test } from 'node:test'
import { drawRounds, killReportLine, runKillRounds } from './killRounds.js'
import { findCometbft } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

const given = process.env['ONUS_SEED']
const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
const nodes = 4
const [few, many] = [10, 100]

async function runRounds(from: number, count: number): Promise<void> {
  console.log(`seed ${from}, ${count} rounds`)
  const report = await runKillRounds(drawRounds(from, count, nodes), from, nodes, path)
  console.log(killReportLine(from, count, report))
}

describe('kill -9 of any process, of any two, of all', { skip }, () => {
  test(`${few} rounds`, { timeout: 400_000 }, () => runRounds(seed, few))

  const leftOut = process.env['ONUS_NIGHTLY'] === '1' ? false : `nightly: only ${few} of ${many} rounds otherwise`
  test(`${many - few} more rounds`, { skip: leftOut, timeout: 5_400_000 }, async () => {
    for (let done = few; done < many; done += 30) await runRounds(seed + done, Math.min(30, many - done))
  })
})
