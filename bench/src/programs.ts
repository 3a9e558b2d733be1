/** What a cluster of the benchmarks runs: the ledger's module and CometBFT, built where they are missing. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cometbftBinary } from '@onus/node/engines/cometbft/build'
import { OnusError } from '@onus/protocol/errors'
import { benchFolder, wasmFile } from './ledger/ledgerFiles.js'
import type { Progress } from './system/progress.js'

export interface Programs {
  readonly module: Uint8Array
  /** Path of the binary. */
  readonly cometbft: string
}

/** Rejects `no-go`. */
export async function programs(progress: Progress): Promise<Programs> {
  if (!existsSync(wasmFile)) {
    progress.update('building the ledger')
    const { buildLedger } = await import('./build.js')
    await buildLedger()
  }
  const engine = await cometbftBinary({
    sourceFolder: join(benchFolder, '../tools/cometbft'),
    onProgress: (seconds) => progress.update(`building CometBFT with Go, once: ${seconds} s (about 2 minutes)`),
  })
  if (engine.kind !== 'binary') throw new OnusError('no-go', 'the benchmark needs CometBFT', { remedy: engine.remedy })
  return { module: new Uint8Array(await readFile(wasmFile)), cometbft: engine.path }
}
