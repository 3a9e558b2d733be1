/**
 * The test suites: which files, how many at once, for how long, and what they need. Files are named by their sources;
 * what is run is the compiled file, so a left-over of a deleted test is never run.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { workspacesOf } from './workspaces.mjs'

/** Kinds of suites in the workspace `test`, in order. `needs`: not run without; `uses`: demanded by --require-all. */
const systemSuites = [
  { folder: 'differential', seconds: 600, needs: [], uses: ['shared'] },
  { folder: 'formats', seconds: 600, needs: [], uses: [] },
  { folder: 'fuzz', seconds: 600, needs: [], uses: [] },
  { folder: 'e2e', seconds: 1800, needs: [], uses: ['go', 'shared'] },
  { folder: 'browser', seconds: 600, needs: ['chromium'], uses: ['go'] },
]

/** Nightly runs go deeper in the same tests. */
const nightlyFactor = 10
const unitSeconds = 600

/** Paths under `folder` whose name ends with `ending`, sorted; relative to `root`. */
function testsUnder(root, folder, ending) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return testsUnder(root, path, ending)
      return entry.name.endsWith(ending) ? [path] : []
    })
}

/** `{ source, run }` of each test of `folder` in a workspace compiled to `workspace`/dist. */
function compiledTests(root, workspace, folder) {
  return testsUnder(root, `${workspace}/${folder}`, '.test.ts').map((source) => ({
    source,
    run: `${workspace}/dist/${source.slice(workspace.length + 1).replace(/\.ts$/, '.js')}`,
  }))
}

function scriptSuite(root) {
  const files = testsUnder(root, 'scripts/test', '.test.mjs').map((source) => ({ source, run: source }))
  return { name: 'scripts', files, concurrency: 2, seconds: unitSeconds, needs: [], uses: [] }
}

function unitSuites(root) {
  return workspacesOf(root).map(({ folder }) => ({
    name: folder,
    files: compiledTests(root, folder, 'test'),
    concurrency: 2,
    seconds: unitSeconds,
    needs: [],
    uses: ['shared'],
  }))
}

/**
 * The suites of the repository that have files, each `{ name, files, concurrency, seconds, needs, uses }`.
 * `only`: a regular expression; files are kept whose suite name or path it matches.
 */
export function suitesOf(root, { nightly, only }) {
  const system = systemSuites.map(({ folder, ...rest }) => ({
    ...rest,
    name: `test/${folder}`,
    files: compiledTests(root, 'test', folder),
    concurrency: 1,
  }))
  return [scriptSuite(root), ...unitSuites(root), ...system]
    .map((suite) => ({
      ...suite,
      seconds: nightly ? suite.seconds * nightlyFactor : suite.seconds,
      files: suite.files.filter(({ source }) => only === undefined || only.test(`${suite.name} ${source}`)),
    }))
    .filter((suite) => suite.files.length > 0)
}
