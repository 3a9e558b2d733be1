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
import { fileProblem, isMissing } from './fileProblem.js'

export interface ClusterFile {
  /** Path of the file itself; empty where options name the cluster. */
  readonly file: string
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
  /** Temporary folder of the nodes; empty where an older version wrote the file. */
  readonly folder: string
  /** The nodes are down for a moment, and a new chain follows. */
  readonly reloading: boolean
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
    folder: typeof members['folder'] === 'string' ? members['folder'] : '',
    reloading: members['reloading'] === true,
  }
}

/** Rejects `cluster-file`. */
export async function readClusterFile(file: string): Promise<ClusterFile> {
  let json: Readonly<Record<string, unknown>>
  try {
    json = JSON.parse(await readFile(file, 'utf8')) as Readonly<Record<string, unknown>>
  } catch (cause) {
    const message = isMissing(cause) ? `no such file: ${file}` : `${file} cannot be read: ${fileProblem(cause)}`
    throw new OnusError('cluster-file', message, { remedy: noCluster, cause })
  }
  const nodes = json['nodes']
  if (!Array.isArray(nodes) || !nodes.every((node) => typeof node === 'string') || nodes.length === 0)
    throw new OnusError('cluster-file', `${file}: nodes must be a list of URLs`, { remedy: noCluster })
  const folder = dirname(resolve(file))
  return {
    file: resolve(file),
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
    return withInterface(await readClusterFile(resolve(folder, file)), description)
  }
  if (nodes !== undefined || genesis !== undefined) {
    if (nodes === undefined || genesis === undefined)
      throw new OnusError('usage', '--nodes and --genesis belong together', {
        remedy: 'give both, or --cluster FILE, or start a cluster here: npx onus dev',
      })
    return { file: '', nodes: nodes.split(','), genesis: resolve(folder, genesis), interface: description, dev: null }
  }
  const found = findDevFile(folder)
  if (found === null)
    throw new OnusError('no-cluster', `no cluster is running for ${resolve(folder)} or a folder above it`, {
      remedy: noCluster,
    })
  return withInterface(await readClusterFile(found), description)
}

function withInterface(cluster: ClusterFile, description: string | null): ClusterFile {
  return description === null ? cluster : { ...cluster, interface: description }
}
