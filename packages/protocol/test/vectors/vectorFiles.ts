/** The vector files that this package generates, by name, and those that were recorded elsewhere. */
import { blockDataVectors, genesisVectors, manifestVectors, receiptVectors } from './blockVectors.js'
import { certificateVectors } from './certificateVectors.js'
import { malformedVectors } from './malformedVectors.js'
import { powersVectors } from './powersVectors.js'
import { codeVectors, signatureVectors, swarmVectors } from './swarmVectors.js'
import { callHeaderVectors, openingTypedDataVectors, sessionVectors, transactionVectors } from './transactionVectors.js'
import { fixedTreeVectors, merkleRangeVectors, merkleTreeVectors, stateVectors } from './treeVectors.js'
import type { VectorFile } from './vectorFile.js'

export const generatedVectors: ReadonlyMap<string, () => VectorFile> = new Map([
  ['block-data.json', blockDataVectors],
  ['call-header.json', callHeaderVectors],
  ['certificate.json', certificateVectors],
  ['code.json', codeVectors],
  ['fixed-tree.json', fixedTreeVectors],
  ['genesis.json', genesisVectors],
  ['malformed.json', malformedVectors],
  ['manifest.json', manifestVectors],
  ['merkle-range.json', merkleRangeVectors],
  ['merkle-tree.json', merkleTreeVectors],
  ['opening-typed-data.json', openingTypedDataVectors],
  ['powers.json', powersVectors],
  ['receipt.json', receiptVectors],
  ['session.json', sessionVectors],
  ['signature.json', signatureVectors],
  ['state.json', stateVectors],
  ['swarm.json', swarmVectors],
  ['transaction.json', transactionVectors],
])

/** Not ours to generate: what the real engine made (support/recordedCommits.ts reads it). */
export const recordedVectors: readonly string[] = ['commit.json']
