/** Limits of engines and of the step machine on functions after lowering. Rejections: `profile-limit`. */
import { OnusError } from '@onus/protocol/errors'
import { declaredLocals, type FunctionBody } from '../binary/moduleTypes.js'
import { maximumBodyInstructions, maximumFrameSlots } from './costs.js'

/** V8 takes bodies up to 7,654,321 bytes and 50,000 locals; some room stays for headers. */
const maximumLoweredBytes = 7_500_000
const maximumLoweredLocals = 49_000

export function checkSlots(index: number, slots: number): void {
  if (slots > maximumFrameSlots)
    throw new OnusError(
      'profile-limit',
      `function ${index} has ${slots} parameters, locals and operands, at most ${maximumFrameSlots} are allowed`,
    )
}

export function checkInstructionCount(index: number, count: number): void {
  if (count > maximumBodyInstructions)
    throw new OnusError(
      'profile-limit',
      `function ${index} has ${count} instructions, at most ${maximumBodyInstructions} are allowed`,
    )
}

export function checkLoweredBody(index: number, body: FunctionBody): void {
  if (body.code.length > maximumLoweredBytes || declaredLocals(body) > maximumLoweredLocals)
    throw new OnusError('profile-limit', `function ${index} is too large: ${body.code.length} bytes after lowering`)
}
