/**
 * Finds or builds the CometBFT binary from `tools/cometbft` (one pinned version, no code of ours). A build is cached
 * under a hash of go.mod, go.sum, Go's version and the platform, and appears there by a rename, so a build that was
 * interrupted leaves nothing that looks like a binary. Without Go a cached build of the same sources is used.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OnusError } from '@onus/protocol/errors'

/** `no-go`: there is no cached build and no Go to make one; the caller may take the embedded engine. */
export type BinaryResult =
  | { readonly kind: 'binary'; readonly path: string; readonly built: boolean }
  | { readonly kind: 'no-go'; readonly remedy: string }

export interface BinaryOptions {
  /** The folder with go.mod and go.sum. */
  readonly sourceFolder: string
  /** Default: `$XDG_CACHE_HOME/onus`, else `~/.cache/onus`. */
  readonly cacheFolder?: string
  /** Told about once a second while Go builds (a first build takes 1 to 5 minutes and needs the network). */
  readonly onProgress?: (elapsedSeconds: number) => void
}

const noGoRemedy = 'Install Go 1.26 or newer (https://go.dev/dl), or run with the embedded engine.'

function defaultCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME']
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'onus')
}

function sha256Hex(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    hash.update(String(part.length)).update('\0').update(part)
  }
  return hash.digest('hex')
}

interface CommandResult {
  readonly code: number | null
  readonly output: string
}

/** Output of a command, both streams; null where there is no such command. */
async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<CommandResult | null> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-8000)
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve(null) : reject(error)))
    child.on('close', (code) => resolve({ code, output }))
  })
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Hash of the sources and the platform; null of the Go version gives the part that a cached build is known by. */
async function sourceHash(sourceFolder: string): Promise<string> {
  const files = await Promise.all(['go.mod', 'go.sum'].map((name) => readFile(join(sourceFolder, name)))).catch(
    (cause: unknown) => {
      throw new OnusError('cometbft-sources', `expected go.mod and go.sum in ${sourceFolder}`, {
        cause,
        remedy: 'Run from a complete checkout of the repository.',
      })
    },
  )
  return sha256Hex([...files, `${process.platform}-${process.arch}`])
}

/** A cached build of the same sources by any Go version. */
async function findCached(cacheFolder: string, sources: string): Promise<string | null> {
  const names = await readdir(cacheFolder).catch(() => [])
  for (const name of names.filter((one) => one.startsWith('cometbft-')).sort()) {
    const folder = join(cacheFolder, name)
    const recorded = await readFile(join(folder, 'sources'), 'utf8').catch(() => '')
    if (recorded === sources && (await isExecutable(join(folder, 'cometbft')))) return join(folder, 'cometbft')
  }
  return null
}

async function goVersion(): Promise<string | null> {
  const result = await run('go', ['env', 'GOVERSION'], '.', process.env)
  return result !== null && result.code === 0 ? result.output.trim() : null
}

async function build(options: BinaryOptions, target: string, temporary: string): Promise<void> {
  const started = Date.now()
  const timer = setInterval(() => options.onProgress?.(Math.round((Date.now() - started) / 1000)), 1000)
  try {
    const result = await run(
      'go',
      [
        'build',
        '-mod=readonly',
        '-trimpath',
        '-o',
        join(temporary, 'cometbft'),
        'github.com/cometbft/cometbft/cmd/cometbft',
      ],
      options.sourceFolder,
      { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
    )
    if (result === null || result.code !== 0)
      throw new OnusError('cometbft-build', `go build of CometBFT failed:\n${result?.output ?? 'go is gone'}`, {
        remedy:
          'The first build needs the network (proxy.golang.org) and about 2 GB of disk. Try again, or run with the embedded engine.',
      })
  } finally {
    clearInterval(timer)
  }
  // Another process may have finished the same build; then its folder is as good as ours.
  await rename(temporary, target).catch(async (error: unknown) => {
    if (!(await isExecutable(join(target, 'cometbft')))) throw error
  })
}

/**
 * The path of a CometBFT binary of the pinned version: cached, else built. Rejects `cometbft-sources` and
 * `cometbft-build`.
 */
export async function cometbftBinary(options: BinaryOptions): Promise<BinaryResult> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder()
  const sources = await sourceHash(options.sourceFolder)
  const version = await goVersion()
  if (version === null) {
    const cached = await findCached(cacheFolder, sources)
    return cached === null ? { kind: 'no-go', remedy: noGoRemedy } : { kind: 'binary', path: cached, built: false }
  }
  const target = join(cacheFolder, `cometbft-${sha256Hex([sources, version]).slice(0, 16)}`)
  const path = join(target, 'cometbft')
  if (await isExecutable(path)) return { kind: 'binary', path, built: false }
  await mkdir(cacheFolder, { recursive: true })
  const temporary = await mkdtemp(join(cacheFolder, 'building-'))
  try {
    await writeFile(join(temporary, 'sources'), sources)
    await build(options, target, temporary)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return { kind: 'binary', path, built: true }
}
