import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEnd, isRunning, runProcess } from '../lib/childProcess.mjs'

const { execPath: node, env } = process

/** A killed process whose parent is gone stays until the system's first process has collected it. */
async function untilGone(pid) {
  for (const end = Date.now() + 5000; isRunning(pid); ) {
    assert.ok(Date.now() < end, `process ${pid} still runs`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('code and the output of both streams are kept, and stdout lines can be taken', async () => {
  const script = "process.stderr.write('to stderr'); process.stdout.write('one\\ntwo'); process.exitCode = 7"
  const taken = []
  const end = await runProcess(node, ['-e', script], { env, seconds: 30, onStdoutLine: (line) => taken.push(line) })
  assert.deepEqual([end.code, end.output, taken], [7, 'to stderr', ['one', 'two']])
  assert.equal(describeEnd(end, 30), 'ended with code 7')
})

test('a program that does not exist is an end, not an exception', async () => {
  const end = await runProcess('/does/not/exist', [], { env, seconds: 30 })
  assert.equal(end.code, null)
  assert.match(end.output, /ENOENT/)
})

test('the time bound ends the whole group, a grandchild that ignores SIGTERM included', async () => {
  const grandchild = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(process.pid)"
  const child = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`
  const end = await runProcess(node, ['-e', child], { env, seconds: 2 })
  assert.equal(end.timedOut, true)
  assert.match(describeEnd(end, 2), /not done within 2 s and was killed \(process group \d+\)/)
  const pid = Number(end.output)
  assert.ok(pid > 0, `the grandchild printed its id, got ${JSON.stringify(end.output)}`)
  await untilGone(pid)
  assert.equal(isRunning(process.pid), true)
})

test('a signal ends the children first, then this process by the same signal', async () => {
  const library = new URL('../lib/childProcess.mjs', import.meta.url).href
  const child = 'console.log(process.pid); setInterval(() => {}, 1000)'
  const program = `
    const { runProcess } = await import(${JSON.stringify(library)})
    const onStdoutLine = (pid) => { console.log(pid); process.kill(process.pid, 'SIGTERM') }
    await runProcess(process.execPath, ['-e', ${JSON.stringify(child)}], { env: process.env, seconds: 60, onStdoutLine })`
  const end = await runProcess(node, ['--input-type=module', '-e', program], { env, seconds: 30 })
  assert.equal(end.signal, 'SIGTERM')
  assert.ok(Number(end.output) > 0, end.output)
  await untilGone(Number(end.output))
})
