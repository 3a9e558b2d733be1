/**
 * `npm test`: static checks, the build, unit tests of every package, then the tests of the whole system; at the end
 * a table of what was not run and why. Options: --nightly, --only PATTERN, --require-all.
 * Exit codes: 0 all passed, 1 something failed, 2 wrong usage.
 */
import { parseArgs } from 'node:util'
import { capabilities, findCapabilities } from './capabilities.mjs'
import { build } from './lib/build.mjs'
import { isExcused, notRunTable, rowOf, rowsOfSkips } from './lib/notRun.mjs'
import { startClock } from './lib/say.mjs'
import { SetupError } from './lib/setupError.mjs'
import { withSetupLock } from './lib/setupLock.mjs'
import { staticChecks } from './lib/staticChecks.mjs'
import { suitesOf } from './lib/suites.mjs'
import { runSuite } from './lib/testRun.mjs'

const usage = `Usage: npm test -- [--nightly] [--only PATTERN] [--require-all]
  --only PATTERN   only the suites and files that this regular expression matches, such as --only vm or --only static
  --nightly        the long forms of fuzz and perturbation tests too
  --require-all    a test that is not run is a failure`

/** Lines of the report, on stdout. */
function write(text) {
  process.stdout.write(`${text}\n`)
}

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      nightly: { type: 'boolean', default: false },
      only: { type: 'string' },
      'require-all': { type: 'boolean', default: false },
    },
  })
  return {
    nightly: values.nightly,
    only: values.only === undefined ? undefined : new RegExp(values.only, 'i'),
    requireAll: values['require-all'],
  }
}

/** Runs `action`, which gives undefined or the text of a failure, under a heading; counts it as one test. */
async function runStep(title, tally, action) {
  const elapsed = startClock()
  write(`\n${title}`)
  const failure = await action()
  if (failure === undefined) tally.passed++
  else tally.failed++
  write(failure === undefined ? `  passed in ${elapsed()} s` : `${failure}\n  ✖ failed in ${elapsed()} s`)
  return failure === undefined
}

async function runStaticChecks(root, tally) {
  for (const { name, remedy, check } of staticChecks) {
    await runStep(name, tally, async () => {
      const { passed, output } = await check(root)
      return passed ? undefined : `${output}\n  remedy: ${remedy}`
    })
  }
}

function countFiles(suite) {
  return suite.files.length === 1 ? '1 file' : `${suite.files.length} files`
}

function runBuild(root, tally) {
  return runStep('build and types (tsc)', tally, async () => {
    try {
      await withSetupLock(root, () => build(root))
      return undefined
    } catch (error) {
      if (error instanceof SetupError) return `${error.output}\n${error.message}`
      throw error
    }
  })
}

/** Rows for what --require-all demands although no suite stops without it. */
function missingUses(suites, found) {
  const missing = [...new Set(suites.flatMap(({ uses }) => uses))].filter((name) => found.get(name).missing)
  return missing.map((name) => rowOf(`tests that use ${name}`, `needs ${name}: ${found.get(name).missing}`, 1))
}

function testEnvironment(options, found) {
  const environment = options.nightly ? { ONUS_NIGHTLY: '1' } : {}
  const chromium = found.get('chromium')?.found
  return chromium === undefined ? environment : { ...environment, ONUS_CHROMIUM: chromium }
}

async function findForSuites(root, suites) {
  const names = suites.flatMap(({ needs, uses }) => [...needs, ...uses])
  if (names.length === 0) return new Map()
  write('\nWhat tests can use here')
  const found = await findCapabilities(root, names)
  for (const [name, { version, missing }] of found)
    write(`  ${capabilities[name].title}: ${version ?? `missing (${missing})`}`)
  return found
}

/** Runs `suites` one after the other; adds to `tally` and returns the rows of what was not run. */
async function runSuites(root, suites, options, tally) {
  const found = await findForSuites(root, suites)
  const environment = testEnvironment(options, found)
  const rows = options.requireAll ? missingUses(suites, found) : []
  for (const suite of suites) {
    write(`\n${suite.name} (${countFiles(suite)})`)
    const lacking = suite.needs.find((name) => found.get(name).missing)
    if (lacking !== undefined) {
      const reason = `needs ${lacking}: ${found.get(lacking).missing}`
      write(`  not run: ${reason}`)
      rows.push(rowOf(`${suite.name} (${countFiles(suite)})`, reason, 1))
      continue
    }
    const results = await runSuite(root, suite, environment, write)
    tally.passed += results.passed
    tally.failed += results.failures.length
    tally.failures.push(...results.failures.map(({ file, name }) => `${file} > ${name}`))
    rows.push(...rowsOfSkips(suite.name, results.skips))
  }
  return rows
}

function conclude(rows, options, tally, elapsed) {
  for (const line of notRunTable(rows)) write(line)
  if (tally.failures.length > 0) write(`\nFailed\n${tally.failures.map((failure) => `  ${failure}`).join('\n')}`)
  let skipped = 0
  for (const row of rows) {
    if (options.requireAll && !isExcused(row, options.nightly)) tally.failed += row.count
    else skipped += row.count
  }
  if (options.requireAll && tally.failed > 0 && rows.length > 0) write('\n--require-all: what was not run has failed')
  write(`\n${elapsed()} s in all\n${tally.passed} passed, ${tally.failed} failed, ${skipped} skipped`)
  return tally.failed === 0 ? 0 : 1
}

/** Runs the tests of the repository at `root`, whose packages are installed. Resolves to the exit code. */
export async function runTests(root, args) {
  let options
  try {
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`${error.message}\n${usage}\n`)
    return 2
  }
  const elapsed = startClock()
  const tally = { passed: 0, failed: 0, failures: [] }
  const suites = suitesOf(root, options)
  const withChecks = options.only === undefined || options.only.test('static')
  if (suites.length === 0 && !withChecks) {
    process.stderr.write(`--only ${options.only.source}: no suite or file matches\n`)
    return 2
  }
  write(`Node.js ${process.version} on ${process.platform} ${process.arch}`)
  if (withChecks) await runStaticChecks(root, tally)
  const built = await runBuild(root, tally)
  if (!built) write('\nThe tests were not run, because the build failed.')
  const rows = built ? await runSuites(root, suites, options, tally) : []
  return conclude(rows, options, tally, elapsed)
}
