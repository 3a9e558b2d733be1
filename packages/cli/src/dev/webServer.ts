/**
 * Serves the project's `web/` folder to a browser on this machine, with the modules of the client as they are (an import
 * map finds them) and `/onus/cluster.js`: genesis, nodes and interface of the cluster that runs. Development only.
 */
import { existsSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OnusError } from '@onus/protocol/errors'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
}

export interface WebServerOptions {
  readonly folder: string
  /** Tried first; the next free one is taken. */
  readonly port: number
  /** Source of `/onus/cluster.js`. */
  readonly clusterModule: () => string
}

export interface WebServer {
  readonly url: string
  close(): Promise<void>
}

/** Folder on disk behind `/onus/modules/NAME/`; compiled packages keep their modules in `dist/src`. */
function moduleFolders(): ReadonlyMap<string, string> {
  const folderOf = (specifier: string, up: string): string => fileURLToPath(new URL(up, import.meta.resolve(specifier)))
  return new Map([
    ['@onus/client', folderOf('@onus/client/connect', '.')],
    ['@onus/protocol', folderOf('@onus/protocol/bytes', '.')],
  ])
}

/** `@noble` is a dependency of the protocol, found from there. */
async function nobleFolder(protocolFolder: string): Promise<string | null> {
  for (let at = await realpath(protocolFolder); at !== normalize(join(at, '..')); at = normalize(join(at, '..'))) {
    const candidate = join(at, 'node_modules', '@noble')
    if (existsSync(candidate)) return candidate
  }
  return null
}

const importMap = `<script type="importmap">${JSON.stringify({
  imports: {
    '@onus/client/': '/onus/modules/@onus/client/',
    '@onus/protocol/': '/onus/modules/@onus/protocol/',
    '@noble/': '/onus/modules/@noble/',
  },
})}</script>`

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

/** The file `path` inside `folder`, never outside of it. */
function inside(folder: string, path: string): string | null {
  const file = normalize(join(folder, path))
  return file.startsWith(folder + sep) ? file : null
}

class Site {
  readonly #options: WebServerOptions
  readonly #modules = new Map(moduleFolders())

  constructor(options: WebServerOptions) {
    this.#options = options
  }

  async prepare(): Promise<void> {
    const noble = await nobleFolder(this.#modules.get('@onus/protocol') ?? '')
    if (noble !== null) this.#modules.set('@noble', noble)
  }

  async answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/onus/cluster.js') return send(response, 200, types['.js'] ?? '', this.#options.clusterModule())
    const file = path.startsWith('/onus/modules/') ? this.#moduleFile(path) : this.#pageFile(path)
    const content = file === null ? null : await readFile(file).catch(() => null)
    if (file === null || content === null) return send(response, 404, 'text/plain; charset=utf-8', `no ${path}\n`)
    const type = types[extname(file)] ?? 'application/octet-stream'
    const body =
      extname(file) === '.html'
        ? content.toString('utf8').replace(/<(script|body|\/head|title)/i, `${importMap}<$1`)
        : content
    send(response, 200, type, body)
  }

  #pageFile(path: string): string | null {
    return inside(this.#options.folder, path.endsWith('/') ? `${path}index.html` : path)
  }

  #moduleFile(path: string): string | null {
    const rest = path.slice('/onus/modules/'.length)
    for (const [name, folder] of this.#modules) {
      if (!rest.startsWith(`${name}/`)) continue
      const module = rest.slice(name.length + 1)
      return inside(folder.replace(/\/$/, ''), extname(module) === '' ? `${module}.js` : module)
    }
    return null
  }
}

function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false)
      else reject(error)
    }
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed)
      resolve(true)
    })
  })
}

const portsTried = 50

/** Rejects `web-port`. */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const site = new Site(options)
  await site.prepare()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = decodePath(pathname)
    site.answer(path, response).catch((error: unknown) => send(response, 500, 'text/plain', String(error)))
  })
  for (let port = options.port; port < options.port + portsTried; port++) {
    if (!(await listen(server, port))) continue
    return {
      url: `http://localhost:${port}`,
      close: () => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(() => resolve()))
      },
    }
  }
  throw new OnusError('web-port', `no port from ${options.port} to ${options.port + portsTried - 1} is free`, {
    remedy: 'choose another: onus dev --port 8100',
  })
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return '/'
  }
}
