/** Requests to a worker: order, rejections as `OnusError`, and every way in which a worker ends. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkerClient } from '@onus/node/worker/channel'
import { OnusError, type RejectionDetails } from '@onus/protocol/errors'
import type { EchoMethods } from './support/echoWorker.js'

interface Started {
  readonly client: WorkerClient<EchoMethods>
  readonly deaths: OnusError[]
}

async function withWorker(action: (started: Started) => Promise<void>, workerData: unknown = null): Promise<void> {
  const deaths: OnusError[] = []
  const script = new URL('./support/echoWorker.js', import.meta.url)
  const client = new WorkerClient<EchoMethods>(script, { workerData, stderr: true }, (error) => deaths.push(error))
  try {
    await action({ client, deaths })
  } finally {
    await client.stop()
  }
}

const exited = ({ client }: Started): Promise<unknown> => new Promise((resolve) => client.worker.once('exit', resolve))

describe('worker client', { timeout: 60_000 }, () => {
  test('gives back what the worker answers, in the order asked', () =>
    withWorker(async ({ client }) => {
      const calls = [client.call('later', 30), client.call('later', 1), client.call('later', 10)]
      assert.equal(client.pending, 3)
      assert.deepEqual(await Promise.all(calls), [1, 2, 3])
      const value = { bytes: new Uint8Array([1, 2]), map: new Map([[1, 'a']]), big: 5n }
      assert.deepEqual(await client.call('echo', value), value)
      assert.equal(client.pending, 0)
    }))

  test('a rejection crosses as an OnusError with code, message, remedy and path, and the worker goes on', () =>
    withWorker(async ({ client, deaths }) => {
      const details = { code: 'some-code', remedy: 'do this', path: 'calls[3]' }
      for (const given of [details, { code: 'bare' }]) {
        const original = new OnusError(given.code, 'rejected', given as RejectionDetails)
        const { code, message } = original
        const caught = await client.call('reject', given).then(
          () => assert.fail(),
          (error: OnusError) => error,
        )
        assert.ok(caught instanceof OnusError)
        assert.deepEqual(
          [caught.code, caught.message, caught.remedy, caught.path],
          [code, message, original.remedy, original.path],
        )
      }
      await assert.rejects(client.call('rejectLater', 'late'), { name: 'OnusError', code: 'late' })
      assert.equal(await client.call('echo', 1), 1)
      assert.deepEqual(deaths, [])
    }))

  test('a bug ends the worker: every call under way and to come fails, and its death is told once', () =>
    withWorker(async (started) => {
      const { client, deaths } = started
      const ended = exited(started)
      const calls = [client.call('crash', 'a bug'), client.call('echo', 1), client.call('later', 5)]
      for (const call of calls) await assert.rejects(call, { name: 'OnusError', code: 'worker-died', message: /a bug/ })
      await ended
      await assert.rejects(client.call('echo', 2), { code: 'worker-died' })
      assert.deepEqual(
        deaths.map(({ code }) => code),
        ['worker-died'],
      )
      assert.equal(client.pending, 0)
    }))

  test('an exit of the worker is its death too', () =>
    withWorker(async (started) => {
      const ended = exited(started)
      await assert.rejects(started.client.call('exit', 7), { code: 'worker-died', message: /code 7/ })
      await ended
      assert.equal(started.deaths.length, 1)
    }))

  test('an answer that cannot cross is a bug of the worker', () =>
    withWorker(async (started) => {
      await assert.rejects(started.client.call('unclonable', null), { code: 'worker-died' })
      assert.equal(started.deaths.length, 1)
    }))

  test('an argument that cannot cross fails its call alone', () =>
    withWorker(async ({ client, deaths }) => {
      await assert.rejects(
        client.call('echo', () => undefined),
        { name: 'DataCloneError' },
      )
      assert.equal(client.pending, 0)
      assert.equal(await client.call('echo', 3), 3)
      assert.deepEqual(deaths, [])
    }))

  test('stop ends calls under way and tells no death', () =>
    withWorker(async ({ client, deaths }) => {
      assert.equal(await client.call('echo', 0), 0)
      const call = assert.rejects(client.call('later', 60_000), { code: 'worker-died', message: /stopped/ })
      await client.stop()
      await call
      assert.deepEqual(deaths, [])
    }))

  test('a worker that refuses to start dies with its own code and remedy', () =>
    withWorker(async (started) => {
      const ended = exited(started)
      const refusal = { name: 'OnusError', code: 'engine-version', message: 'not this one', remedy: 'take another' }
      await assert.rejects(started.client.call('echo', 1), refusal)
      await ended
      assert.deepEqual(
        started.deaths.map(({ code, remedy }) => [code, remedy]),
        [['engine-version', 'take another']],
      )
    }, 'refuse'))

  test('a worker that fails at its start dies as any other', () =>
    withWorker(async (started) => {
      await assert.rejects(started.client.call('echo', 1), { code: 'worker-died', message: /bug at the start/ })
      assert.equal(started.deaths.length, 1)
    }, 'fail'))
})
