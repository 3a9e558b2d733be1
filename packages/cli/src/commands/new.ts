/** `onus new`: a project with backend, typed client, page and tests, ready to run. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { buildBackend } from '@onus/assemblyscript/build'
import { OnusError } from '@onus/protocol/errors'
import type { Command, Context } from '../command/command.js'
import { choiceOption } from '../command/parse.js'
import { buildOptionsOf, writeBuild } from '../project/buildProject.js'
import { cloneFolder, linkPackages, shortPath } from '../project/linkPackages.js'
import { findProject, identifierOf } from '../project/project.js'
import { templateFiles } from '../project/template.js'
import { shellWord } from '../values/readArguments.js'

/** Rejects `project-name` and `folder-used`. */
async function checkTarget(root: string): Promise<void> {
  const name = basename(root)
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name))
    throw new OnusError('project-name', `${JSON.stringify(name)} is no name of a package`, {
      remedy: 'up to 64 lower-case letters, digits, - and _: onus new notes',
    })
  const present = await readdir(root).catch((error: { code?: string }) => {
    if (error.code === 'ENOENT') return []
    throw new OnusError('folder-used', `${root} cannot be used: ${error.code ?? String(error)}`, { cause: error })
  })
  if (present.length > 0)
    throw new OnusError(
      'folder-used',
      `${root} is not empty (${present.slice(0, 3).join(', ')}${present.length > 3 ? ', …' : ''})`,
      {
        remedy: `choose another name: onus new ${name}-2`,
      },
    )
}

async function run(context: Context): Promise<number> {
  const { output, folder, positionals } = context
  choiceOption(context, 'new', 'lang', ['assemblyscript'])
  const root = resolve(folder, positionals[0] ?? '')
  await checkTarget(root)
  const names = { packageName: basename(root), name: identifierOf(basename(root)), clone: cloneFolder }
  const files = templateFiles(names)
  for (const { path, content } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  await linkPackages(root)
  output.progress.update('building it once, for the generated description')
  const project = await findProject(root)
  await writeBuild(project, await buildBackend(buildOptionsOf(project)))
  output.progress.clear()
  const shown = shortPath(folder, root)
  output.line(`✔ ${shown}/   backend, typed client, web page, tests`)
  output.line(`  next: cd ${shellWord(shown)} && npx onus dev`)
  output.result({ folder: root, name: names.name, files: files.map(({ path }) => path) })
  return 0
}

export const newCommand: Command = {
  name: 'new',
  about: 'make a project: backend, typed client, web page, tests',
  details: `The project is linked to this clone of Onus (${'`npm install` is not needed'}). Asks nothing; refuses a folder that is not empty.`,
  positionals: [
    { name: 'NAME', about: 'folder to make, also a path such as apps/notes; its last part names the package' },
  ],
  options: { lang: { value: 'LANGUAGE', about: 'assemblyscript (the default; others follow)' } },
  examples: [
    { command: 'onus new notes', about: 'makes the folder notes' },
    { command: 'onus new notes --lang assemblyscript --json', about: 'for a script' },
  ],
  run,
}
