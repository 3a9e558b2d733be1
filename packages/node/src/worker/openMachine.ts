/**
 * The machine at the durable state: genesis state plus the pages written since, checked against the recorded root, so
 * that a node never goes on from a state it did not agree to.
 */
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { codeReference } from '@onus/protocol/code'
import { OnusError } from '@onus/protocol/errors'
import type { Genesis } from '@onus/protocol/genesis'
import type { Hashing } from '@onus/state-transition/clusterState'
import { Machine } from '@onus/vm/engine/machine'
import { loweringVersion, maximumGasLimit } from '@onus/vm/lower/costs'
import { type LoweredModule, lowerModule } from '@onus/vm/lower/lowerModule'
import type { Store } from '../store/store.js'

/** The code reference that the manifest names for a module (S14). */
export function codeReferenceOf(hashing: Hashing, module: Uint8Array, lowered: LoweredModule): Uint8Array {
  return codeReference(hashing, {
    moduleReference: hashing.swarmReference(module),
    meteredHash: hashing.sha256(lowered.metered),
    loweringVersion,
    maximumMemoryPages: lowered.parameters.maximumMemoryPages,
  })
}

/** The machine after its start function ran: the state before the first block. Rejects `start-trapped`. */
export function machineAtGenesis(lowered: LoweredModule, hashing: Hashing | null, startGas: number): Machine {
  const machine = Machine.create(lowered, hashing)
  const outcome = machine.start(startGas)
  if (!outcome.ok)
    throw new OnusError(
      'start-trapped',
      `the start function of the backend trapped: ${outcome.detail ?? 'no message'}`,
      {
        remedy: 'make what runs at the top level of the backend cheaper or correct, or raise startGas in the genesis',
      },
    )
  machine.accept()
  machine.endBlock()
  return machine
}

/**
 * Rejects `code-reference`, `genesis-state`, `engine-version` when module or platform are not those of the genesis,
 * `genesis-limits` when it allows more gas than the machine counts, `store-corrupt` and `state-delta` when the store
 * does not hold the state that it names. Without `keepsRoots` states are not checked: only for a second copy of a state
 * that was.
 */
export function openMachine(
  genesis: Genesis,
  module: Uint8Array,
  hashing: Hashing,
  store: Store,
  { keepsRoots = true }: { readonly keepsRoots?: boolean } = {},
): Machine {
  if (process.version !== genesis.nodeVersion || process.versions.v8 !== genesis.v8Version)
    throw new OnusError(
      'engine-version',
      `this cluster runs on Node ${genesis.nodeVersion} with V8 ${genesis.v8Version}, this is ${process.version} with ${process.versions.v8}`,
      { remedy: `run the node with Node ${genesis.nodeVersion}` },
    )
  if (Math.max(genesis.limits.callGas, genesis.startGas) > maximumGasLimit)
    throw new OnusError('genesis-limits', `callGas and startGas of the genesis are at most ${maximumGasLimit}`)
  const lowered = lowerModule(module, { maximumMemoryPages: genesis.maximumMemoryPages })
  const reference = codeReferenceOf(hashing, module, lowered)
  if (loweringVersion !== genesis.loweringVersion)
    throw new OnusError(
      'code-reference',
      `this node has lowering version ${loweringVersion}, the genesis names ${genesis.loweringVersion}`,
      { remedy: 'use the version of Onus that the cluster registered' },
    )
  if (!equalBytes(reference, genesis.codeReference))
    throw new OnusError(
      'code-reference',
      `the module has code reference ${toHex(reference)}, the genesis names ${toHex(genesis.codeReference)}`,
      {
        remedy: 'use the module and the version of Onus that the cluster registered',
      },
    )
  const machine = machineAtGenesis(lowered, keepsRoots ? hashing : null, genesis.startGas)
  if (keepsRoots && !equalBytes(machine.stateRoot, genesis.stateRoot))
    throw new OnusError('genesis-state', 'the start function gives another state than the genesis names')
  const { position } = store
  if (position === null || position.chain.range.size === 0) return machine
  const { memoryPages, globals } = position
  const { stateRoot } = machine.apply({ memoryPages, globals, pages: [...store.pages()] })
  if (keepsRoots && !equalBytes(stateRoot, position.stateRoot))
    throw new OnusError(
      'store-corrupt',
      `the stored state at height ${position.height} does not have its recorded root`,
      {
        remedy: "delete the node's store folder and let the node replay the chain",
      },
    )
  return machine
}
