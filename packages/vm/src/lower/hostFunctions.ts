/** The imports that a guest may have (`spec/vm.md` 2): module `onus`, no float ever crosses to JavaScript. */
import { ValueType } from '../binary/moduleTypes.js'

export const hostModule = 'onus'

export interface HostFunction {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
  /** Parameter that counts the bytes moved, -1 if none. */
  readonly lengthParameter: number
}

const { i32 } = ValueType

export const hostFunctions: ReadonlyMap<string, HostFunction> = new Map([
  ['input_size', { parameters: [], results: [i32], lengthParameter: -1 }],
  ['input_read', { parameters: [i32, i32, i32], results: [], lengthParameter: 2 }],
  ['output_write', { parameters: [i32, i32], results: [], lengthParameter: 1 }],
  ['log_write', { parameters: [i32, i32], results: [], lengthParameter: 1 }],
])
