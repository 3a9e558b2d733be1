/**
 * `@onus/client` in Chromium against a live cluster: a page connects, opens a session, calls and queries, verifies
 * everything itself, and turns from a lying node to an honest one.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type BrowserContext, chromium } from 'playwright-core'
import { buildLedger } from '../e2e/buildLedger.js'
import { openClient } from '../e2e/load.js'
import { findCometbft, startCluster, type TestCluster } from '../e2e/testCluster.js'
import { type LyingProxy, startLyingProxy } from './lyingProxy.js'
import type { PageOptions, PageResult } from './page.js'

const cometbft = await findCometbft()
const executable = [process.env['ONUS_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && path !== '' && existsSync(path),
)
const noChromium = 'needs chromium: install Chromium, or set ONUS_CHROMIUM to its path'
const skip = 'skip' in cometbft ? cometbft.skip : executable === undefined ? noChromium : false

/** As bundlers for browsers do: an import of `node:` would be an error. */
async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
  })
  return outputFiles[0]?.text ?? ''
}

/** Serves the page on loopback: another origin than the nodes, as a real page is. */
async function servePage(script: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    const html =
      '<!doctype html><meta charset="utf-8"><title>Onus</title><link rel="icon" href="data:,"><body><h1>Onus</h1>'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { server, url: `http://127.0.0.1:${address.port}/` }
}

describe('the client in Chromium', { skip, timeout: 180_000 }, () => {
  let cluster: TestCluster
  let proxy: LyingProxy
  let browser: BrowserContext
  let pages: { server: Server; url: string }
  let profile: string
  let counted = 0

  before(async () => {
    const path = 'path' in cometbft ? cometbft.path : null
    cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path })
    // Before the first block nodes answer 404 to who asks for the newest certificate, which Chromium puts on the console.
    const client = await openClient(cluster.localnet)
    counted = await client.call.add(7)
    client.close()
    proxy = await startLyingProxy(cluster.localnet.gatewayUrls[0] as string)
    const script = await bundlePage()
    console.log(`the page with the client is ${(script.length / 1024).toFixed(0)} KiB`)
    pages = await servePage(script)
    profile = await mkdtemp(join(tmpdir(), 'onus-chromium-'))
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: executable ?? '',
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  })

  after(async () => {
    await browser?.close()
    await proxy?.stop()
    await new Promise((resolve) => (pages === undefined ? resolve(null) : pages.server.close(resolve)))
    await cluster?.remove()
    if (profile !== undefined) await rm(profile, { recursive: true, force: true })
  })

  /** Runs the page with `nodes`; gives its result and fails if anything of `unwanted` went to the console. */
  async function runPage(nodes: readonly string[], unwanted: RegExp): Promise<PageResult> {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && unwanted.test(message.text())) problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(String(error)))
    const options: PageOptions = { nodes, genesis: Buffer.from(cluster.localnet.genesisBytes).toString('base64') }
    await page.addInitScript((given) => {
      window.onusOptions = given
    }, options)
    await page.goto(pages.url)
    await page.addScriptTag({ type: 'module', url: '/page.js' })
    await page.waitForFunction(() => window.onusResult !== undefined, undefined, { timeout: 60_000 })
    const result = await page.evaluate(() => window.onusResult as PageResult)
    const shot = process.env['ONUS_SCREENSHOT']
    if (shot !== undefined) await page.screenshot({ path: `${shot}-${counted}.png` })
    const shown = await page.locator('li').allTextContents()
    await page.close()
    assert.equal(result.error, null)
    assert.deepEqual(problems, [], 'no errors in the console')
    assert.ok(
      shown.some((line) => line.includes(result.values.join(', '))),
      'the page shows the values',
    )
    return result
  }

  function checkValues({ values, count, certifiedBy }: PageResult): void {
    assert.deepEqual(
      values,
      [1, 3, 6, 10].map((sum) => counted + sum),
    )
    counted += 10
    assert.equal(count, counted)
    assert.ok(certifiedBy >= 3)
  }

  test('connects, calls, queries and verifies, with a clean console', async () => {
    const result = await runPage(cluster.localnet.gatewayUrls, /./)
    checkValues(result)
    assert.ok(result.agreedBy.length >= 2)
    assert.deepEqual(result.evidence, [])
    console.log(
      `in the page: a certificate is verified in ${result.verification.toFixed(1)} ms, a call takes ${result.latency.toFixed(0)} ms`,
    )
  })

  test('notices a node that lies, keeps the evidence, and uses others', async () => {
    const nodes = [proxy.url, ...cluster.localnet.gatewayUrls.slice(2)]
    // Nodes are asked in a random order at first, so the liar may not be asked at once.
    for (let attempt = 1; attempt <= 25; attempt++) {
      // A query's height that the liar made up is asked of others, who answer 504, which Chromium puts on the console, as
      // it does that the liar's proxy knows no WebSockets.
      const result = await runPage(nodes, /^(?!Failed to load resource|WebSocket connection to)/)
      checkValues(result)
      if (result.evidence.length === 0) continue
      assert.ok(result.evidence.every(({ node }) => node === proxy.url))
      const liar = result.health.find(({ url }) => url === proxy.url)
      assert.ok(liar !== undefined && liar.lies > 0)
      console.log(`page ${attempt} noticed: ${result.evidence.map(({ code }) => code).join(', ')}`)
      return
    }
    assert.fail(`${proxy.lies()} lies were told, and none was noticed`)
  })
})
