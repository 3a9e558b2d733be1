/**
 * One run of `onus dev`: cluster, watcher, page, control socket, and what it prints. Saving rebuilds; a build that fails
 * leaves the cluster as it is.
 */
import { mkdir } from 'node:fs/promises'
import type { Server } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { BuildError } from '@onus/assemblyscript/transform/problems'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { formatInterface } from '@onus/protocol/interface/parseInterface'
import { type ClusterFile, devFileName, readClusterFile, stateFolder } from '../cluster/clusterFile.js'
import { readGenesis } from '../cluster/connectCluster.js'
import { describeError, failureText, type Output } from '../command/output.js'
import { clusterStatus } from '../operations/clusterStatus.js'
import { buildSummary, writeBuild } from '../project/buildProject.js'
import type { Project } from '../project/project.js'
import { breakNodes, nodeNames } from './breakNodes.js'
import { type ControlRequest, controlName, serveControl } from './control.js'
import { DevCluster } from './devCluster.js'
import { markReloading, removeDevFiles, writeDevFiles } from './devFiles.js'
import { type FreshBuild, Reloader, type RunnableModule } from './reloader.js'
import { watchSources } from './watchSources.js'
import { startWebServer, type WebServer } from './webServer.js'

export interface DevOptions {
  readonly project: Project
  readonly output: Output
  readonly nodes: number
  /** Path of CometBFT; null for the embedded engine. */
  readonly cometbft: string | null
  readonly port: number
}

const reasonsShown = 5
const label = (name: string): string => `  ${`${name} `.padEnd(16, '.')}`

export class DevSession {
  readonly #options: DevOptions
  readonly #reloader: Reloader
  readonly #cluster: DevCluster
  #control: Server | null = null
  #web: WebServer | null = null
  #stopWatching: () => void = () => undefined
  #run = 0
  /** One after the other: reloads, breaks, the end. */
  #turn: Promise<void> = Promise.resolve()
  #waitingReload = false
  #isEnding = false
  #end: (code: number) => void = () => undefined
  /** Exit code, once the session is asked to end. */
  readonly ended: Promise<number>

  private constructor(options: DevOptions, cluster: DevCluster) {
    this.#options = options
    this.#cluster = cluster
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#reloader = new Reloader(options.project, (error) => this.#fail(error))
  }

  /** Builds and starts everything. Rejects with nothing left running. */
  static async start(options: DevOptions): Promise<DevSession> {
    const { nodes, cometbft, output } = options
    const cluster = await DevCluster.create({ nodes, cometbft, onExit: (text) => output.note(`! ${text}`) })
    const session = new DevSession(options, cluster)
    try {
      await session.#startAll()
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }

  get controlPath(): string {
    return join(this.#cluster.folder, controlName)
  }

  get clusterFile(): string {
    return join(this.#options.project.root, stateFolder, devFileName)
  }

  get logs(): readonly string[] {
    return this.#cluster.logs
  }

  async #startAll(): Promise<void> {
    const { project, output, nodes, port } = this.#options
    output.progress.update(`building ${relative(project.root, project.backend)}`)
    const build = await this.#reloader.build()
    await writeBuild(project, build.built)
    output.progress.update(`starting ${nodes} nodes (${this.#engineText()})`)
    const runnable = this.#reloader.fresh(build, [])
    await this.#cluster.start(runnable)
    this.#reloader.isRunning(runnable)
    this.#control = await serveControl(this.controlPath, (request, progress) => this.#handle(request, progress))
    const folder = join(project.root, 'web')
    await mkdir(folder, { recursive: true })
    this.#web = await startWebServer({ folder, port, clusterModule: () => this.#clusterModule() })
    await this.#writeFiles()
    this.#stopWatching = watchSources(
      dirname(project.backend),
      (path) => this.#changed(path),
      (error) => output.note(`! saves are not seen any more: ${describeError(error)}`),
    )
    await this.#printSummary(build)
  }

  #engineText(): string {
    return this.#cluster.engine === 'cometbft' ? 'CometBFT' : 'embedded engine'
  }

  /** What the page imports to connect: the genesis comes from here, as any client's comes from its user. */
  #clusterModule(): string {
    const { genesisBytes, gatewayUrls } = this.#cluster.localnet
    const description = new TextDecoder().decode(formatInterface(this.#description()))
    return `const hex = '${toHex(genesisBytes)}'
export const cluster = {
  genesis: Uint8Array.from(hex.match(/../g), (pair) => Number.parseInt(pair, 16)),
  nodes: ${JSON.stringify(gatewayUrls)},
  interface: ${description},
}
`
  }

  #description(): FreshBuild['built']['interface'] {
    const { current } = this.#reloader
    if (current === null) throw new OnusError('not-started', 'nothing is built yet')
    return current.build.built.interface
  }

  async #writeFiles(): Promise<void> {
    const { project } = this.#options
    const { gatewayUrls, genesisBytes } = this.#cluster.localnet
    this.#run += 1
    await writeDevFiles(project.root, {
      nodes: gatewayUrls,
      genesis: genesisBytes,
      description: this.#description(),
      run: this.#run,
      dev: {
        name: project.name,
        root: project.root,
        pid: process.pid,
        control: this.controlPath,
        engine: this.#cluster.engine,
        web: this.#web?.url ?? '',
        folder: this.#cluster.folder,
        reloading: false,
      },
    })
  }

  /** The cluster that runs now, as other commands see it. */
  async clusterNow(): Promise<ClusterFile> {
    return readClusterFile(this.clusterFile)
  }

  async #printSummary({ built }: FreshBuild): Promise<void> {
    const { output, nodes, project } = this.#options
    const cluster = await this.clusterNow()
    const { height, agreeing, members } = await clusterStatus(cluster, await readGenesis(cluster))
    const web = this.#web?.url ?? ''
    output.progress.clear()
    output.line(`${label('backend')} ${buildSummary(built)}`)
    output.line(
      `${label('cluster')} ${nodes} nodes, ${this.#engineText()} · block ${height} · ${agreeing} of ${members} agree`,
    )
    output.line(`${label('page')} ${web}   API ${cluster.nodes.join(' ')}`)
    output.result({
      name: project.name,
      engine: this.#cluster.engine,
      nodes: cluster.nodes,
      web,
      clusterFile: this.clusterFile,
      height,
      agreeing,
    })
  }

  #changed(path: string): void {
    if (this.#waitingReload || this.#isEnding) return
    this.#waitingReload = true
    this.#queue(async () => {
      this.#waitingReload = false
      await this.#reload(path)
    })
  }

  #queue(job: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#isEnding) return
      await job().catch((error: unknown) => this.#fail(error))
    })
  }

  async #reload(path: string): Promise<void> {
    const { output, project } = this.#options
    const started = performance.now()
    output.progress.update(`${path} saved, rebuilding`)
    let build: FreshBuild
    try {
      build = await this.#reloader.build()
      await writeBuild(project, build.built)
    } catch (error) {
      if (!(error instanceof OnusError)) throw error
      output.progress.clear()
      output.note(buildFailure(error))
      return
    }
    const same = this.#reloader.current?.build.built.wasm
    if (same !== undefined && Buffer.from(same).equals(build.built.wasm)) {
      output.progress.clear()
      output.line(`✔ ${path} saved · the module is the same, nothing to reload`)
      return
    }
    output.progress.update('reloading the nodes')
    const { liars } = this.#cluster
    const runnable = await this.#replace(build)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    output.progress.clear()
    output.line(
      `✔ ${path} saved · ${buildSummary(build.built)} · reloaded in ${seconds} s · ${stateText(runnable, liars)}`,
    )
  }

  /** Stops the nodes, takes their state over, and starts a new chain; if that cannot be, the old one goes on. */
  async #replace(build: FreshBuild): Promise<RunnableModule> {
    await markReloading(this.#options.project.root, true)
    await this.#cluster.stop()
    let runnable: RunnableModule
    try {
      runnable = await this.#reloader.takeOver(build, this.#cluster.localnet.homes)
    } catch (error) {
      await this.#cluster.resume()
      await markReloading(this.#options.project.root, false)
      throw error
    }
    await this.#cluster.start(runnable)
    this.#reloader.isRunning(runnable)
    await this.#writeFiles()
    return runnable
  }

  async #handle(request: ControlRequest, progress: (text: string) => void): Promise<Readonly<Record<string, unknown>>> {
    if (this.#isEnding)
      throw new OnusError('no-dev', '`onus dev` is stopping', { remedy: 'start it again: npx onus dev' })
    if (request.command === 'stop') {
      this.#end(0)
      return { stopping: true }
    }
    return this.break(request.nodes, request.how, progress)
  }

  /** Numbers of nodes count from 1. Rejects `no-such-node`. */
  break(
    nodes: readonly number[],
    how: 'lie' | 'kill',
    progress: (text: string) => void,
  ): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      this.#queue(async () => {
        await breakNodes(this.#cluster, await this.clusterNow(), { nodes, how }, progress).then(resolve, reject)
      })
    })
  }

  #fail(error: unknown): void {
    if (this.#isEnding) return
    this.#options.output.note(failureText(error))
    this.#end(1)
  }

  /** Ends the session; whoever waits for `ended` closes it. */
  stop(): void {
    this.#end(0)
  }

  async close(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#stopWatching()
    await this.#turn
    await this.#web?.close()
    await this.#reloader.close()
    await this.#cluster.stop()
    // Until here others see at the control socket that this session lives.
    this.#control?.close()
    await removeDevFiles(this.#options.project.root)
    await this.#cluster.remove()
  }
}

/** Each problem as file:line:column; the nodes go on with the build before. */
function buildFailure(error: OnusError): string {
  const count = error instanceof BuildError ? error.problems.length : 1
  return `${failureText(error)}\n  ${count === 1 ? 'one problem' : `${count} problems`}; the cluster goes on with the last build`
}

/** `liars` sat in the chain before; their folders went with it. */
function stateText({ resetReasons }: RunnableModule, liars: readonly number[]): string {
  const healed =
    liars.length === 0
      ? ''
      : ` · ${nodeNames(liars)} ${liars.length === 1 ? 'is' : 'are'} honest again, as all nodes are new`
  if (resetReasons === null) return `state kept${healed}`
  const shown = resetReasons.slice(0, reasonsShown).map((reason) => `\n    ${reason}`)
  const more = resetReasons.length > reasonsShown ? `\n    and ${resetReasons.length - reasonsShown} more` : ''
  return `state starts empty${healed}, because it does not fit the new code:${shown.join('')}${more}`
}
