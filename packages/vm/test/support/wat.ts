/** Hand-made modules: text through binaryen, with features on so that refused instructions can be written too. */
import binaryen from 'binaryen'

const { Features } = binaryen
/** Not garbage collection: with it binaryen writes null references in a form that Node 20 does not know. */
const features = Features.All & ~Features.GC

export function wat(text: string): Uint8Array {
  const module = binaryen.parseText(text)
  module.setFeatures(features)
  const bytes = module.emitBinary()
  module.dispose()
  return bytes
}

/** A module with memory and an `invoke` of these instructions, and more fields. */
export function invoking(instructions: string, fields = '', memory = '1 4'): Uint8Array {
  return wat(`(module
    (import "onus" "input_size" (func $input_size (result i32)))
    (import "onus" "input_read" (func $input_read (param i32 i32 i32)))
    (import "onus" "output_write" (func $output_write (param i32 i32)))
    (memory (export "memory") ${memory}) ${fields}
    (func (export "invoke") ${instructions}))`)
}
