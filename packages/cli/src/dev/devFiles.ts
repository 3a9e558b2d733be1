/** What `onus dev` leaves in `.onus/` of a project for other commands and clients, complete or not at all. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Interface } from '@onus/protocol/interface/description'
import { formatInterface } from '@onus/protocol/interface/parseInterface'
import { type DevPart, devFileName, readClusterFile, stateFolder } from '../cluster/clusterFile.js'
import { isDevRunning } from '../cluster/devState.js'

export interface DevFileContent {
  readonly nodes: readonly string[]
  readonly genesis: Uint8Array
  readonly description: Interface
  readonly dev: DevPart
  /** Counts the chains of this session, so that the names of genesis and interface change with them. */
  readonly run: number
}

/** Paths in the file are relative to it. */
export async function writeDevFiles(root: string, content: DevFileContent): Promise<void> {
  const folder = join(root, stateFolder)
  await mkdir(folder, { recursive: true })
  const [genesis, description] = [`genesis-${content.run}.bin`, `interface-${content.run}.json`]
  await writeFile(join(folder, genesis), content.genesis)
  await writeFile(join(folder, description), formatInterface(content.description))
  const json = { nodes: content.nodes, genesis, interface: description, dev: content.dev }
  await replaceDevFile(folder, json)
  if (content.run > 1)
    for (const old of [`genesis-${content.run - 1}.bin`, `interface-${content.run - 1}.json`])
      await rm(join(folder, old), { force: true })
}

async function replaceDevFile(folder: string, json: unknown): Promise<void> {
  const temporary = join(folder, `${devFileName}.tmp`)
  await writeFile(temporary, `${JSON.stringify(json, null, 2)}\n`)
  await rename(temporary, join(folder, devFileName))
}

/** Tells other commands to wait: the nodes go down, and come back with another chain. `writeDevFiles` ends it too. */
export async function markReloading(root: string, reloading: boolean): Promise<void> {
  const folder = join(root, stateFolder)
  const json = JSON.parse(await readFile(join(folder, devFileName), 'utf8')) as { readonly dev: DevPart }
  await replaceDevFile(folder, { ...json, dev: { ...json.dev, reloading } })
}

export async function removeDevFiles(root: string): Promise<void> {
  await rm(join(root, stateFolder), { recursive: true, force: true })
}

/** The session that runs for this project, or null. */
export async function runningSession(root: string): Promise<DevPart | null> {
  const file = await readClusterFile(join(root, stateFolder, devFileName)).catch(() => null)
  return file !== null && file.dev !== null && (await isDevRunning(file.dev)) ? file.dev : null
}
