/**
 * The folders of a whole cluster in one file: gzipped JSON of path and content in base64. Sockets, logs and locks are
 * left out. Read back, the nodes get ports that are free now.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { NodeConfigFile } from '@onus/node/nodeConfig'

const isLeftOut = (path: string): boolean => /\.(log|sock)$|lock\.mdb$/.test(path)

export async function packFolder(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((path) => !isLeftOut(path))
    .sort()
  const files: Record<string, string> = {}
  for (const path of paths) files[path] = (await readFile(join(folder, path))).toString('base64')
  return gzipSync(JSON.stringify(files), { level: 9 })
}

export async function unpackFolder(archive: Uint8Array, folder: string): Promise<void> {
  const files = JSON.parse(gunzipSync(archive).toString('utf8')) as Record<string, string>
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), Buffer.from(content, 'base64'), { mode: 0o600 })
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Writes other ports into every `node.json`; gives the URLs of the gateways. */
export async function renumberPorts(homes: readonly string[]): Promise<string[]> {
  const files = homes.map((home) => join(home, 'node.json'))
  const configs = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as NodeConfigFile),
  )
  const links = new Map<number, number>()
  for (const { link } of configs) links.set(link.port, await freePort())
  const moved = (port: number): number => links.get(port) ?? port
  return Promise.all(
    configs.map(async (config, index) => {
      const gateway = { ...config.gateway, port: await freePort() }
      const peers = config.link.peers.map((peer) => ({ ...peer, port: moved(peer.port) }))
      const link = { ...config.link, port: moved(config.link.port), peers }
      await writeFile(files[index] as string, JSON.stringify({ ...config, gateway, link }))
      return `http://${gateway.host}:${gateway.port}`
    }),
  )
}
