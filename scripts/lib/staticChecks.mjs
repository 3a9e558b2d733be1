/**
 * The checks that read sources and run nothing: `{ name, remedy, check(root) }`, where `check` gives
 * `{ passed, output }`. Types are checked by the build.
 */
import { join } from 'node:path'
import { checkLayers } from '../layers.mjs'
import { describeEnd, runProcess } from './childProcess.mjs'

const checkSeconds = 300
const plainErrors = ['--colors=off', '--diagnostic-level=error', '--max-diagnostics=none']

async function tool(root, name, args) {
  const result = await runProcess(join(root, 'node_modules', '.bin', name), args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    seconds: checkSeconds,
  })
  const passed = result.code === 0
  return { passed, output: passed ? '' : `${result.output}\n${name} ${describeEnd(result, checkSeconds)}` }
}

/** Formats the whole repository and applies the safe fixes of the linter. */
export function format(root) {
  return tool(root, 'biome', ['check', '--write', '.', ...plainErrors])
}

function layers(root) {
  const violations = checkLayers(root)
  return { passed: violations.length === 0, output: violations.join('\n') }
}

export const staticChecks = [
  {
    name: 'format (biome)',
    remedy: 'npm run format',
    check: (root) => tool(root, 'biome', ['format', '.', '--colors=off', '--reporter=summary']),
  },
  {
    name: 'lint (biome)',
    remedy: 'npm run format mends what can be mended safely, import order too; the rest by hand',
    check: (root) => tool(root, 'biome', ['ci', '.', '--formatter-enabled=false', ...plainErrors]),
  },
  {
    name: 'unused files, exports and packages (knip)',
    remedy: 'delete what nothing uses; what only strangers use is marked @public in its comment',
    check: (root) => tool(root, 'knip', ['--no-progress', '--no-config-hints']),
  },
  { name: 'layers', remedy: 'scripts/lib/layerRules.mjs says which package may import which', check: layers },
]
