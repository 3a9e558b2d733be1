/**
 * Reporter for `node --test`: one JSON object a line, which lib/testRun.mjs reads.
 *   { event: 'begin' | 'end', name, file }        a test or file is running, or is over
 *   { event: 'pass' | 'skip' | 'fail', name, file, reason?, error? }   one result; groups count only when skipped
 *   { event: 'print', file, text }                what a test wrote to stdout or stderr
 * `name` has the names of the groups around it. A file without any test is a failure: it tests nothing.
 */
import { inspect } from 'node:util'

/** Names of the open groups of the file being reported, by nesting. */
function createNames() {
  const open = []
  return {
    start(data) {
      open.length = data.nesting
      open[data.nesting] = data.name
    },
    full: (data) => [...open.slice(0, data.nesting), data.name].join(' > '),
  }
}

/** Text of a failure: the error itself with its stack, without the wrapper of the test runner and frames inside Node. */
function errorText(error) {
  const cause = error?.cause ?? error
  if (typeof cause === 'string') return cause
  return inspect(cause, { depth: 4, breakLength: 120 }).replace(/^\s+at (?:.* \()?node:.*\n?/gm, '')
}

function isGroup(data) {
  return data.details?.type === 'suite'
}

function isFile(data) {
  return data.nesting === 0 && data.name === data.file
}

/** The result that a pass or fail event stands for, or undefined if it only sums up others. */
function resultOf(type, data) {
  if (data.skip !== undefined) return { event: 'skip', reason: data.skip === true ? '' : data.skip }
  if (data.todo !== undefined) return { event: 'skip', reason: `marked as to do: ${data.todo}` }
  if (type === 'test:pass') {
    if (isFile(data)) return { event: 'fail', error: 'this file has no test' }
    return isGroup(data) ? undefined : { event: 'pass' }
  }
  const { error } = data.details
  if (error?.failureType === 'subtestsFailed') return undefined
  if (isFile(data))
    return { event: 'fail', error: `the file ended with exit code ${error?.exitCode}, signal ${error?.signal}` }
  return { event: 'fail', error: errorText(error) }
}

function lineOf(type, data, names) {
  const { file } = data
  switch (type) {
    case 'test:dequeue':
      return { event: 'begin', file, name: data.name }
    case 'test:complete':
      return { event: 'end', file, name: data.name }
    case 'test:start':
      names.start(data)
      return undefined
    case 'test:stdout':
    case 'test:stderr':
      return { event: 'print', file, text: data.message }
    case 'test:pass':
    case 'test:fail': {
      const result = resultOf(type, data)
      return result && { ...result, file, name: isFile(data) ? '(file)' : names.full(data) }
    }
    default:
      return undefined
  }
}

export default async function* report(events) {
  const names = createNames()
  for await (const { type, data } of events) {
    const line = lineOf(type, data, names)
    if (line !== undefined) yield `${JSON.stringify(line)}\n`
  }
}
