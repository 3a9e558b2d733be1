/**
 * A cluster at rest (`spec/consensus.md` 6): hardly a block, hardly a byte written, and the next request is answered
 * about as fast as a busy cluster answers.
 */
import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { buildLedger } from './buildLedger.js'
import { untilAtRest } from './gatewayClient.js'
import { openClient } from './load.js'
import { SteadyLoad } from './steadyLoad.js'
import { findCometbft, startCluster, type TestCluster } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The longest rest; more of them precede single calls. */
const restSeconds = 30
const shortRestSeconds = 10
const callsAfterRest = 3
const bytesAnHour = 5_000_000
const secondsPerBlock = 10

/** Bytes that a process has sent to disk, pages of mapped files included; null where the system does not tell. */
async function writtenBy(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '')
  const found = /^write_bytes: (\d+)$/m.exec(text)
  return found === null ? null : Number(found[1])
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name)).catch(() => null)))
  return sizes.reduce((sum, file) => sum + (file?.size ?? 0), 0)
}

/** By node: bytes written by its two processes, or the size of its folder. */
async function writtenByNodes(cluster: TestCluster): Promise<number[]> {
  return Promise.all(
    cluster.localnet.homes.map(async (home, index) => {
      const { node, cometbft: engine } = await cluster.pids(index + 1)
      const written = await Promise.all([node, engine].map((pid) => (pid === null ? null : writtenBy(pid))))
      const [a, b] = written
      return typeof a === 'number' && typeof b === 'number' ? a + b : sizeOf(home)
    }),
  )
}

describe('a cluster at rest', { skip, timeout: 300_000 }, () => {
  test('makes no blocks, writes nothing to speak of, and answers the next request at once', async () => {
    const cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path, isOnDisk: true })
    try {
      const { gatewayUrls } = cluster.localnet
      const client = await openClient(cluster.localnet, { maximumBatch: 1 })
      const load = new SteadyLoad(client, 20)
      await wait(10_000)
      await load.stop()
      assert.deepEqual(load.failures, [])
      const busy = load.quantile(0.5, load.calls[40]?.at ?? 0, Number.POSITIVE_INFINITY)

      const height = await untilAtRest(gatewayUrls, 60_000)
      // What is on its way to disk is not written at rest.
      await wait(3000)
      const before = await writtenByNodes(cluster)
      await wait(restSeconds * 1000)
      const blocks = (await untilAtRest(gatewayUrls, 10_000)) - height
      const after = await writtenByNodes(cluster)
      const growth = after.map((bytes, index) => ((bytes - (before[index] ?? 0)) * 3600) / restSeconds)

      const latencies: number[] = []
      for (let call = 0; call < callsAfterRest; call++) {
        if (call > 0) await wait(shortRestSeconds * 1000)
        const start = performance.now()
        await client.call.touch()
        latencies.push(performance.now() - start)
      }
      client.close()
      const rested = [...latencies].sort((a, b) => a - b)[Math.floor(callsAfterRest / 2)] as number
      console.log(
        `at rest: ${blocks} blocks in ${restSeconds} s, ${growth.map((bytes) => (bytes / 1e6).toFixed(2)).join(', ')} MB ` +
          `an hour; the next call ${rested.toFixed(0)} ms (${latencies.map((one) => one.toFixed(0)).join(', ')}), ` +
          `busy p50 ${busy.toFixed(0)} ms`,
      )
      assert.ok(blocks <= restSeconds / secondsPerBlock, `${blocks} blocks`)
      for (const bytes of growth) assert.ok(bytes <= bytesAnHour, `${bytes} bytes an hour`)
      assert.ok(rested <= 2 * busy, `${rested} ms after a rest, ${busy} ms when busy`)
    } finally {
      await cluster.remove()
    }
  })
})
