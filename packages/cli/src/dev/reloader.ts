/**
 * Builds of one `onus dev`: a warm compiler, the build that runs, and how the next one takes over its state. What is slow
 * (compiler, lowering, start functions) runs in a process and a thread of its own that stay warm.
 */
import type { BuiltBackend } from '@onus/assemblyscript/build'
import { BuildService } from '@onus/assemblyscript/buildService'
import { placementOf, type StartedBuild } from '@onus/node/dev/carry/carryState'
import type { CarryMethods, StartedModule } from '@onus/node/dev/carry/carryWorker'
import type { StateLayout } from '@onus/node/dev/carry/layout'
import { WorkerClient } from '@onus/node/worker/channel'
import { OnusError } from '@onus/protocol/errors'
import { requiredStackMegabytes } from '@onus/vm/engine/machine'
import { buildOptionsOf } from '../project/buildProject.js'
import type { Project } from '../project/project.js'

/** A build, ready to run from an empty state. */
export interface FreshBuild {
  readonly built: BuiltBackend
  readonly started: StartedModule
  readonly memoryBase: number
}

/** What a cluster runs. */
export interface RunnableModule {
  readonly module: Uint8Array
  readonly code: StartedModule['code']
  /** null: with the state of before; else why not. */
  readonly resetReasons: readonly string[] | null
  readonly build: FreshBuild
  readonly older: readonly number[]
}

export class Reloader {
  readonly #project: Project
  readonly #service = new BuildService()
  readonly #worker: WorkerClient<CarryMethods>
  #current: RunnableModule | null = null

  /** `onDeath` is told when the worker ends by itself. */
  constructor(project: Project, onDeath: (error: OnusError) => void) {
    this.#project = project
    const script = new URL(import.meta.resolve('@onus/node/dev/carry/carryWorker'))
    const resourceLimits = { stackSizeMb: requiredStackMegabytes }
    this.#worker = new WorkerClient<CarryMethods>(script, { resourceLimits }, onDeath)
  }

  get current(): RunnableModule | null {
    return this.#current
  }

  /** Rejects `BuildError`, `start-trapped` and what the profile of modules refuses. */
  async build(memoryBase: number = this.#current?.build.memoryBase ?? 0): Promise<FreshBuild> {
    const options = { ...buildOptionsOf(this.#project), optimize: 'fast' as const, memoryBase }
    const built = await this.#service.build(options)
    return { built, started: await this.#worker.call('start', built.wasm), memoryBase }
  }

  /** From an empty state. */
  fresh(build: FreshBuild, resetReasons: readonly string[]): RunnableModule {
    const { started, built } = build
    return { module: built.wasm, code: started.code, resetReasons, build, older: [] }
  }

  /** With the state of the nodes in `homes`, which do not run any more, where that is sound. */
  async takeOver(build: FreshBuild, homes: readonly string[]): Promise<RunnableModule> {
    const current = this.#current
    if (current === null) return this.fresh(build, [])
    const [before, after] = [startedBuild(current.build), startedBuild(build)]
    if (before === null || after === null)
      return this.fresh(build, ['this version of @onus/assemblyscript does not tell the layout of memory'])
    const placement = placementOf(before, after)
    const { module: running, older } = current
    try {
      const state = await this.#worker.call('read', { before, running, older, homes })
      const next = placement === 'same' ? build : await this.build(state.memory.length)
      const carried = await this.#worker.call('carry', {
        before,
        after: startedBuild(next) ?? after,
        state,
        placement,
      })
      if (carried.kind === 'reset')
        return this.fresh(build.memoryBase === 0 ? build : await this.build(0), carried.reasons)
      const { code } = await this.#worker.call('start', carried.module)
      return { module: carried.module, code, resetReasons: null, build: next, older: carried.older }
    } catch (error) {
      if (!(error instanceof OnusError) || !['state-gone', 'state-memory', 'store-open'].includes(error.code))
        throw error
      return this.fresh(build, [error.message])
    }
  }

  /** Tells what runs from now on. */
  isRunning(runnable: RunnableModule): void {
    this.#current = runnable
  }

  async close(): Promise<void> {
    await Promise.all([this.#service.close(), this.#worker.stop()])
  }
}

function startedBuild({ built, started, memoryBase }: FreshBuild): StartedBuild | null {
  const { layout } = built as BuiltBackend & { readonly layout?: StateLayout }
  return layout === undefined ? null : { module: built.wasm, layout, started: started.started, memoryBase }
}
