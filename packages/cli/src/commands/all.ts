/** The commands, in the order of `onus --help`. */
import type { Command } from '../command/command.js'
import { buildCommand } from './build.js'
import { callCommand } from './call.js'
import { devCommand } from './dev.js'
import { keysCommand } from './keys.js'
import { newCommand } from './new.js'
import { queryCommand } from './query.js'
import { statusCommand } from './status.js'

export const commands: readonly Command[] = [
  newCommand,
  devCommand,
  buildCommand,
  callCommand,
  queryCommand,
  statusCommand,
  keysCommand,
]
