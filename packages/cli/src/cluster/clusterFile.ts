/**
 * Which cluster a command speaks to: a file that names nodes, genesis and interface. `onus dev` writes one,
 * `.onus/dev.json`, found from any folder of the project; another is given by `--cluster`, or by `--nodes` and `--genesis`.
 * The genesis is what is trusted (`spec/client.md` 1): it always comes from a file, never from a node.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import type { OptionSpec, Parsed } from '../command/command.js'

export interface ClusterFile {
  /** URLs of gateways. */
  readonly nodes: readonly string[]
  /** Path of the genesis in its binary form. */
  readonly genesis: string
  /** Path of the interface description; null: the nodes are asked. */
  readonly interface: string | null
  /** What `onus dev` adds; null for other clusters. */
  readonly dev: DevPart | null
}

export interface DevPart {
  readonly name: string
  /** Folder of the project. */
  readonly root: string
  readonly pid: number
  /** Path of the control socket. */
  readonly control: string
  readonly engine: string
  readonly web: string
}

export const stateFolder = '.onus'
export const devFileName = 'dev.json'

export const clusterOptions: Readonly<Record<string, OptionSpec>> = {
  cluster: { value: 'FILE', about: 'file that names the cluster (default: that of `onus dev` in this project)' },
  nodes: { value: 'URL,…', about: 'gateways of the cluster, with --genesis' },
  genesis: { value: 'FILE', about: 'genesis of the cluster, what is trusted' },
  interface: { value: 'FILE', about: 'interface description (default: what f+1 nodes say)' },
}

const noCluster = 'start one here: npx onus dev (or name another: --cluster FILE)'

/** The nearest file of `onus dev` at or above `folder`, or null. */
export function findDevFile(folder: string): string | null {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, stateFolder, devFileName)
    if (existsSync(file)) return file
    if (dirname(at) === at) return null
  }
}

function textMember(json: Readonly<Record<string, unknown>>, name: string, file: string): string {
  const value = json[name]
  if (typeof value === 'string') return value
  throw new OnusError('cluster-file', `${file}: ${name} must be a text`, { remedy: noCluster })
}

function devPart(json: unknown, file: string): DevPart | null {
  if (typeof json !== 'object' || json === null) return null
  const members = json as Readonly<Record<string, unknown>>
  const text = (name: string): string => textMember(members, name, file)
  const pid = members['pid']
  return {
    name: text('name'),
    root: text('root'),
    pid: typeof pid === 'number' ? pid : 0,
    control: text('control'),
    engine: text('engine'),
    web: text('web'),
  }
}

/** Rejects `cluster-file`. */
export async function readClusterFile(file: string): Promise<ClusterFile> {
  let json: Readonly<Record<string, unknown>>
  try {
    json = JSON.parse(await readFile(file, 'utf8')) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new OnusError('cluster-file', `${file} cannot be read: ${String(cause)}`, { remedy: noCluster, cause })
  }
  const nodes = json['nodes']
  if (!Array.isArray(nodes) || !nodes.every((node) => typeof node === 'string') || nodes.length === 0)
    throw new OnusError('cluster-file', `${file}: nodes must be a list of URLs`, { remedy: noCluster })
  const folder = dirname(resolve(file))
  return {
    nodes: nodes as string[],
    genesis: resolve(folder, textMember(json, 'genesis', file)),
    interface: json['interface'] === undefined ? null : resolve(folder, textMember(json, 'interface', file)),
    dev: devPart(json['dev'], file),
  }
}

/** The cluster that the options name, or that of `onus dev`. Rejects `no-cluster`, `cluster-file`, `usage`. */
export async function clusterOf(parsed: Parsed, folder: string): Promise<ClusterFile> {
  const { values } = parsed
  const [file, nodes, genesis] = [values.get('cluster'), values.get('nodes'), values.get('genesis')]
  const given = values.get('interface')
  const description = given === undefined ? null : resolve(folder, given)
  if (file !== undefined) {
    const found = await readClusterFile(resolve(folder, file))
    return description === null ? found : { ...found, interface: description }
  }
  if (nodes !== undefined || genesis !== undefined) {
    if (nodes === undefined || genesis === undefined)
      throw new OnusError('usage', '--nodes and --genesis belong together', {
        remedy: 'give both, or --cluster FILE, or start a cluster here: npx onus dev',
      })
    return { nodes: nodes.split(','), genesis: resolve(folder, genesis), interface: description, dev: null }
  }
  const found = findDevFile(folder)
  if (found === null)
    throw new OnusError('no-cluster', `no cluster is running for ${resolve(folder)} or a folder above it`, {
      remedy: noCluster,
    })
  return readClusterFile(found)
}
