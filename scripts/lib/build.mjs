/**
 * Building: all TypeScript with the native compiler's build mode, then the backends of the examples, which are
 * compiled by the examples' own build program (WebAssembly and the generated description).
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeEnd, runProcess } from './childProcess.mjs'
import { contentHash, filesUnder, readStamp } from './contentHash.mjs'
import { waiting } from './say.mjs'
import { SetupError } from './setupError.mjs'
import { workspacesOf } from './workspaces.mjs'

const compileSeconds = 600
const backendSeconds = 300

/** Compiles every project that the root tsconfig.json refers to. Rejects with the compiler's whole output. */
async function compileTypeScript(root) {
  const result = await waiting('compiling TypeScript', () =>
    runProcess(join(root, 'node_modules', '.bin', 'tsc'), ['-b', '--pretty', 'false'], {
      cwd: root,
      env: process.env,
      seconds: compileSeconds,
    }),
  )
  if (result.code !== 0)
    throw new SetupError(`The TypeScript compiler ${describeEnd(result, compileSeconds)}.`, result.output)
}

/** Hash of what a backend is made from: its sources, the SDK with the compiled transform, all package versions. */
function backendStamp(root, folder) {
  const isGenerated = (path) => path.endsWith('.generated.ts')
  const inputs = [
    join(root, 'package-lock.json'),
    join(root, folder, 'assembly'),
    join(root, folder, 'dist', 'src', 'build.js'),
    join(root, 'sdk', 'assemblyscript', 'assembly'),
    join(root, 'sdk', 'assemblyscript', 'dist', 'src'),
  ]
  return contentHash(
    root,
    inputs.flatMap((path) => filesUnder(path, isGenerated)),
  )
}

async function buildBackend(root, folder) {
  const stampFile = join(root, folder, 'dist', 'backend.stamp')
  const stamp = backendStamp(root, folder)
  if (readStamp(stampFile) === stamp) return false
  const result = await waiting(`building the backend ${folder}`, () =>
    runProcess(process.execPath, [join(root, folder, 'dist', 'src', 'build.js')], {
      cwd: join(root, folder),
      env: process.env,
      seconds: backendSeconds,
    }),
  )
  if (result.code !== 0)
    throw new SetupError(`The build of ${folder} ${describeEnd(result, backendSeconds)}.`, result.output)
  writeFileSync(stampFile, stamp)
  return true
}

/** Builds the examples' backends whose inputs changed. Returns whether it built any. */
async function buildBackends(root) {
  let built = false
  for (const { folder } of workspacesOf(root)) {
    if (!existsSync(join(root, folder, 'dist', 'src', 'build.js'))) continue
    built = (await buildBackend(root, folder)) || built
  }
  return built
}

/** Compiles, builds the backends, and compiles again if they wrote new descriptions. */
export async function build(root) {
  await compileTypeScript(root)
  if (await buildBackends(root)) await compileTypeScript(root)
}
