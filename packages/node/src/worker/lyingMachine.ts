/**
 * A deliberately wrong machine (test switch `lie`): it flips a bit of every output. A node with it signs wrong results
 * and must never get one certified while honest members hold a third (S1).
 */
import type { VirtualMachine } from '@onus/state-transition/virtualMachine'

export function lyingMachine(machine: VirtualMachine): VirtualMachine {
  return {
    call(input, gasLimit) {
      const outcome = machine.call(input, gasLimit)
      const output = outcome.output.slice()
      if (output.length > 0) output[0] = (output[0] as number) ^ 1
      return { ...outcome, output }
    },
    accept: () => machine.accept(),
    reject: () => machine.reject(),
    endBlock: () => machine.endBlock(),
    revertBlock: () => machine.revertBlock(),
    apply: (delta) => machine.apply(delta),
  }
}
