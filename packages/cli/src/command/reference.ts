/** The reference part of `docs/guides/cli.md`, made from the tables of the commands; a test compares. */
import type { Command } from './command.js'
import { commandHelp } from './help.js'

export const referenceStart = '<!-- generated from packages/cli/src/commands; do not edit -->'
export const referenceEnd = '<!-- end of the generated part -->'

export function commandReference(commands: readonly Command[]): string {
  const parts = commands.map((command) => `### onus ${command.name}\n\n\`\`\`\n${commandHelp(command)}\`\`\`\n`)
  return `${referenceStart}\n\n${parts.join('\n')}\n${referenceEnd}`
}
