/** The client over real HTTP, with the platform's `fetch`, and the small parts that only show there. */
import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { connect } from '@onus/client/connect'
import { sendRequest } from '@onus/client/http'
import { Lifetime } from '@onus/client/lifetime'
import { FakeCluster } from './fakeCluster.js'
import { notes } from './notes.js'

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function serve(fake: FakeCluster, node: number): Server {
  return createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = 'GET', url = '/' } = request
    const answer = await fake.handle({ node, method, path: url, body: new Uint8Array(Buffer.concat(chunks)) })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
}

const get = { method: 'GET', path: '/v1/status', body: null, maximumBytes: 1000, deadline: 300 } as const

async function withServer(
  answer: (response: ServerResponse) => void,
  check: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer((_, response) => answer(response))
  try {
    await check(await listen(server))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('over real HTTP', () => {
  test('calls and queries work, also when a node goes away', async () => {
    const fake = new FakeCluster({ members: 4 })
    const servers = [0, 1, 2, 3].map((node) => serve(fake, node))
    const nodes = await Promise.all(servers.map(listen))
    const cluster = await connect({ genesis: fake.chain.genesis, nodes, interface: notes })
    assert.deepEqual(await Promise.all([cluster.call.add('a'), cluster.call.add('b')]), [0, 1])
    const used = (await cluster.send.add('c').until('certified')).report.node
    const gone = servers[nodes.indexOf(used)] as Server
    gone.closeAllConnections()
    gone.close()
    assert.equal(await cluster.call.add('d'), 3)
    assert.equal((await cluster.query.list(0, 10)).value.length, 4)
    const health = cluster.nodes.find(({ url }) => url === used)
    assert.equal(health?.lastFailure, 'dead: unreachable')
    cluster.close()
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  })

  test('a redirect is not followed', async () => {
    await withServer(
      (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      async (url) => {
        const outcome = await sendRequest(fetch, url, get, new Lifetime())
        assert.equal(outcome.kind, 'unreachable')
      },
    )
  })

  test('an endless body stops at the limit, a dripping one at the deadline', async () => {
    await withServer(
      (response) => {
        const timer = setInterval(() => response.write(Buffer.alloc(900)), 1)
        response.on('close', () => clearInterval(timer))
      },
      async (url) => {
        const outcome = await sendRequest(fetch, url, get, new Lifetime())
        assert.equal(outcome.kind, 'too-long')
        assert.equal(outcome.kind === 'too-long' && outcome.bytes.length, 1000)
      },
    )
    await withServer(
      (response) => {
        const timer = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(timer))
      },
      async (url) => assert.equal((await sendRequest(fetch, url, get, new Lifetime())).kind, 'deadline'),
    )
  })

  test('the end of a lifetime ends a request at once', async () => {
    await withServer(
      () => undefined,
      async (url) => {
        const lifetime = new Lifetime()
        setTimeout(() => lifetime.end(), 20)
        const startedAt = performance.now()
        assert.equal((await sendRequest(fetch, url, { ...get, deadline: 5000 }, lifetime)).kind, 'aborted')
        assert.ok(performance.now() - startedAt < 1000)
        assert.equal((await sendRequest(fetch, url, get, lifetime)).kind, 'aborted')
      },
    )
  })
})
