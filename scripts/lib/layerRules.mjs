/**
 * Which workspace may import which (layout.md, "May import (nothing else may)"):
 *   explorer -> client -> protocol <- vm <- state-transition <- node <- cli;  cli -> client, sdk, examples
 *   sdk/assemblyscript -> protocol;  examples -> sdk, client, protocol;  test and bench -> everything
 * `packages`: the other packages that it may import; '*' is all. `external`: prefixes of the npm packages its src may
 * import; absent: whatever its package.json declares. `browser`: its src also runs in a browser, so nothing from
 * `node:`. Tests of a package keep its package edges and may use `node:` and any declared npm package.
 */
const layerRules = {
  'packages/protocol': { packages: [], external: ['@noble/'], browser: true },
  'packages/vm': { packages: ['packages/protocol'], external: [], browser: true },
  'packages/state-transition': { packages: ['packages/protocol', 'packages/vm'], external: [], browser: true },
  'packages/client': { packages: ['packages/protocol'], external: [], browser: true },
  'packages/node': { packages: ['packages/protocol', 'packages/vm', 'packages/state-transition'] },
  'packages/cli': {
    packages: [
      'packages/protocol',
      'packages/vm',
      'packages/state-transition',
      'packages/node',
      'packages/client',
      'sdk/*',
      'examples/*',
    ],
  },
  'apps/explorer': { packages: ['packages/client', 'packages/protocol'] },
  'sdk/*': { packages: ['packages/protocol'] },
  'examples/*': { packages: ['sdk/*', 'packages/client', 'packages/protocol'] },
  test: { packages: '*' },
  bench: { packages: '*' },
}

function matches(pattern, folder) {
  return pattern.endsWith('/*') ? folder.startsWith(pattern.slice(0, -1)) : pattern === folder
}

/** The rule of a workspace folder, or undefined. */
export function ruleOf(folder) {
  const entry = Object.entries(layerRules).find(([pattern]) => matches(pattern, folder))
  return entry?.[1]
}

/** Whether a workspace under `rule` may import the workspace `folder`. */
export function mayImport(rule, folder) {
  return rule.packages === '*' || rule.packages.some((pattern) => matches(pattern, folder))
}
