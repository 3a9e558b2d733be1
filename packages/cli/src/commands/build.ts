/** `onus build`: the module of the project's backend and the typed description for its clients. */
import { relative } from 'node:path'
import { buildBackend } from '@onus/assemblyscript/build'
import type { Command, Context } from '../command/command.js'
import { buildOptionsOf, buildSummary, writeBuild } from '../project/buildProject.js'
import { findProject } from '../project/project.js'
import { entryText } from '../values/typeText.js'

async function run({ output, folder }: Context): Promise<number> {
  const project = await findProject(folder)
  output.progress.update(`building ${relative(folder, project.backend)}`)
  const started = performance.now()
  const built = await buildBackend(buildOptionsOf(project))
  const files = await writeBuild(project, built)
  const seconds = (performance.now() - started) / 1000
  output.progress.clear()
  output.line(`✔ ${buildSummary(built)} in ${seconds.toFixed(1)} s`)
  for (const entry of built.interface.entries)
    output.line(`    ${entry.kind === 'query' ? 'query' : 'entry'} ${entryText(built.interface, entry)}`)
  const [wasm, description] = [relative(folder, files.wasm), relative(folder, files.interface)]
  output.line(`  ${wasm} · ${description}${files.isInterfaceNew ? ' (new)' : ''}`)
  output.result({
    name: project.name,
    wasm: files.wasm,
    interface: files.interface,
    bytes: built.wasm.length,
    entries: built.interface.entries,
    milliseconds: Math.round(seconds * 1000),
  })
  return 0
}

export const buildCommand: Command = {
  name: 'build',
  about: 'compile the backend and generate its typed description',
  details: `Writes build/NAME.wasm and NAME.interface.ts beside package.json. Exported functions of src/backend.ts are the entries;
/** @query */ marks those that only read. Problems are printed as file:line:column.`,
  positionals: [],
  options: {},
  examples: [
    { command: 'onus build', about: 'in the folder of the project or below it' },
    { command: 'onus build --json', about: 'paths, size and entries for a script' },
  ],
  run,
}
