/**
 * What the state transition asks of a deterministic machine (`spec/vm.md`). `Machine` of `@onus/vm` is one; tests put
 * a deliberately wrong one in its place.
 */

/** `output` is empty when trapped; `detail` is for people and never part of consensus. */
export interface CallOutcome {
  readonly ok: boolean
  readonly gasUsed: number
  readonly output: Uint8Array
  readonly detail: string | null
  /** What the guest logged; for people too. */
  readonly logs: readonly string[]
  /** Pages of 4 KiB that the block has written so far, this call included. */
  readonly dirtyPages: number
}

/** Contents of memory and globals that differ between two states; applying one gives its inverse. */
export interface StateDelta {
  /** Memory size, in pages of 64 KiB. */
  readonly memoryPages: number
  readonly globals: Uint8Array
  /** Index and 4,096 bytes of each page that differs. */
  readonly pages: readonly (readonly [index: number, bytes: Uint8Array])[]
}

export interface MachineBlock {
  readonly stateRoot: Uint8Array
  readonly delta: StateDelta
  readonly undo: StateDelta
}

export interface VirtualMachine {
  /** Runs one call and leaves its writes open until `accept` or `reject`; a trapped call is undone already. */
  call(input: Uint8Array, gasLimit: number): CallOutcome
  accept(): void
  reject(): void
  /** Commits the accepted calls and gives the new root. */
  endBlock(): MachineBlock
  /** Undoes the accepted calls since the last `endBlock`. */
  revertBlock(): void
  apply(delta: StateDelta): MachineBlock
}
