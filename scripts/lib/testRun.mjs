/**
 * Runs one suite with `node --test` and gives its results as data: what passed, failed and was skipped, with reasons.
 * Failures and what tests print are written as they come.
 */
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeEnd, runProcess } from './childProcess.mjs'
import { startClock } from './say.mjs'

const reporter = fileURLToPath(new URL('./testReporter.mjs', import.meta.url))
const heartbeatMilliseconds = 30_000
/** Lines that the tests of a suite may print before the rest is only counted. */
const printLimit = 300

function indent(text, margin) {
  return text.trimEnd().replace(/^/gm, margin)
}

/** The tests that are running, for the heartbeat and for a suite that was killed. */
function createRunning() {
  const running = new Map()
  return {
    begin: (file, name) => running.set(`${file} ${name}`, name === file ? file : `${file} > ${name}`),
    end: (file, name) => running.delete(`${file} ${name}`),
    names: () => [...running.values()],
  }
}

/** Takes the reporter's events, fills `results` and writes failures and prints through `write`. */
function createCollector(results, write, sourceOf) {
  const running = createRunning()
  let printed = 0
  const handlers = {
    begin: ({ file, name }) => running.begin(sourceOf(file), name === file ? sourceOf(file) : name),
    end: ({ file, name }) => running.end(sourceOf(file), name === file ? sourceOf(file) : name),
    pass: () => {
      results.passed++
    },
    skip: ({ file, name, reason }) => results.skips.push({ file: sourceOf(file), name, reason }),
    fail({ file, name, error }) {
      results.failures.push({ file: sourceOf(file), name })
      write(`  ✖ ${sourceOf(file)} > ${name}\n${indent(error, '      ')}`)
    },
    print({ file, text }) {
      for (const line of text.trimEnd().split('\n')) {
        printed++
        if (printed <= printLimit) write(`  | ${sourceOf(file).split('/').at(-1)}: ${line}`)
      }
    },
  }
  return {
    running,
    take: (event) => handlers[event.event](event),
    droppedLines: () => Math.max(0, printed - printLimit),
  }
}

function parseEvent(line) {
  try {
    return JSON.parse(line)
  } catch {
    return { event: 'print', file: 'node --test', text: line }
  }
}

function testArguments(suite) {
  return [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${suite.concurrency}`,
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
    ...suite.files.map(({ run }) => run),
  ]
}

/** Environment of a test: nothing of a test run that this run itself may be part of. */
function testEnvironment(extra) {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  return { ...environment, ...extra }
}

function unfinished(names) {
  return names.length === 0 ? '' : `; not finished: ${names.join(', ')}`
}

/** A suite whose process ended badly although no test failed has failed all the same. */
function judgeEnd(end, suite, results, running, write) {
  if (!end.timedOut && (end.code === 0 || results.failures.length > 0)) return
  const text = `the suite ${describeEnd(end, suite.seconds)}${unfinished(running.names())}`
  results.failures.push({ file: suite.name, name: text })
  write(`  ✖ ${text}\n${indent(end.output, '      ')}`)
}

/**
 * Runs `suite` (of lib/suites.mjs) in `root` with the variables `environment` added. Resolves to
 * `{ passed, failures: { file, name }[], skips: { file, name, reason }[] }`; `write` takes whole lines.
 */
export async function runSuite(root, suite, environment, write) {
  const elapsed = startClock()
  const results = { passed: 0, failures: [], skips: [] }
  const sources = new Map(suite.files.map(({ source, run }) => [join(root, run), source]))
  const sourceOf = (file) => sources.get(file) ?? (file === undefined ? suite.name : relative(root, file) || file)
  const collector = createCollector(results, write, sourceOf)
  const heartbeat = setInterval(() => {
    write(`  … ${elapsed()} s, running: ${collector.running.names().join(', ')}`)
  }, heartbeatMilliseconds)
  const end = await runProcess(process.execPath, testArguments(suite), {
    cwd: root,
    env: testEnvironment(environment),
    seconds: suite.seconds,
    onStdoutLine: (line) => collector.take(parseEvent(line)),
  })
  clearInterval(heartbeat)
  if (collector.droppedLines() > 0) write(`  | … ${collector.droppedLines()} more lines were printed`)
  judgeEnd(end, suite, results, collector.running, write)
  write(
    `  ${results.passed} passed, ${results.failures.length} failed, ${results.skips.length} skipped in ${elapsed()} s`,
  )
  return results
}
