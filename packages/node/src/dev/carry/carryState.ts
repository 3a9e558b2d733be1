/**
 * Gives the state of one build of a backend to the next: memory and variables stay as they are, under new code. Sound
 * rules only (`docs/adr/0008-state-over-reload.md`); where one does not hold, the reasons are given and nothing is done.
 */
import { decodeModule } from '@onus/vm/binary/decodeModule'
import type { Module } from '@onus/vm/binary/moduleTypes'
import { bakeState, wasmPageBytes } from './bakeState.js'
import { type ClassIds, compareClasses, type StateLayout, shortName, variableReasons } from './layout.js'
import {
  classIdOf,
  type DataObject,
  dataObjects,
  flipColor,
  headerBytes,
  linkedObjects,
  linkTo,
  listHeads,
  setClassId,
} from './managedObjects.js'
import { dataRange, mutableGlobalsOf, sameData, segmentStart, tableOf } from './moduleView.js'

/** A build as the compiler made it, with what its start function left. */
export interface StartedBuild {
  readonly module: Uint8Array
  readonly layout: StateLayout
  /** Lanes of the mutable globals after the start function, in order. */
  readonly started: readonly bigint[]
  /** First address of the module's own data. */
  readonly memoryBase: number
}

/** The state of a running cluster. */
export interface RunningState {
  /** Whole pages of 64 KiB. */
  readonly memory: Uint8Array
  /** Lanes of the mutable globals of the module that runs, by name. */
  readonly globals: ReadonlyMap<string, bigint>
  /** Headers of objects in the data of builds before the last one, which lie on in the memory. */
  readonly older: readonly number[]
}

export type Carried =
  | { readonly kind: 'carried'; readonly module: Uint8Array; readonly older: readonly number[] }
  | { readonly kind: 'reset'; readonly reasons: readonly string[] }

/** What the start function of a module leaves: memory in whole pages, and lanes of the mutable globals in order. */
export interface StartedState {
  readonly memory: Uint8Array
  readonly lanes: readonly bigint[]
}

/** Runs a module's start function. Rejects `start-trapped`. */
export type RunStart = (module: Uint8Array) => StartedState

const heapRoot = '~lib/rt/tlsf/ROOT'
const whiteGlobal = '~lib/rt/tcms/white'
const totalGlobal = '~lib/rt/tcms/total'

/**
 * `same`: the new module's data is where and what the old one's was, and it has no new variables. `moved`: the new build
 * must lie behind the memory that it takes over, so that what the memory refers to in the old data stays.
 */
export type Placement = 'same' | 'moved'

function heapStart(build: StartedBuild, module: Module): bigint | null {
  const at = mutableGlobalsOf(module).findIndex(({ name }) => name === heapRoot)
  return build.started[at] ?? null
}

export function placementOf(before: StartedBuild, after: StartedBuild): Placement {
  const [old, now] = [decodeModule(before.module), decodeModule(after.module)]
  const held = new Set(mutableGlobalsOf(old).map(({ name }) => name))
  const hasNew = mutableGlobalsOf(now).some(({ name }) => !held.has(name))
  const isSame = before.memoryBase === after.memoryBase && sameData(old, now) && !hasNew
  return isSame && heapStart(before, old) === heapStart(after, now) ? 'same' : 'moved'
}

function tableReasons(old: Module, now: Module): string[] {
  const [before, after] = [tableOf(old), tableOf(now)]
  const at = before.findIndex((name, index) => after[index] !== name)
  return at < 0 ? [] : [`function values: ${shortName(before[at] ?? '')} has another number`]
}

/** Data as the compiler wrote it, with zeros between the segments. */
function pristineData(module: Module, length: number): DataView {
  const bytes = new Uint8Array(length)
  for (const segment of module.data) bytes.set(segment.bytes, segmentStart(segment))
  return new DataView(bytes.buffer)
}

function ownObjects(module: Module, length: number, layout: StateLayout): DataObject[] {
  const { start, end } = dataRange(module)
  return dataObjects(pristineData(module, length), start, end, layout.classes.length)
}

/** Objects in the old module's own data that calls have written to would be fresh in the new module. */
function dataReasons(memory: DataView, old: Module, objects: readonly DataObject[]): string[] {
  const pristine = pristineData(old, memory.byteLength)
  const isWritten = objects.some(({ header, end }) => {
    for (let at = header + headerBytes; at < end; at++) if (memory.getUint8(at) !== pristine.getUint8(at)) return true
    return false
  })
  return isWritten ? ['calls have written to an array literal, and the texts and constants of the source changed'] : []
}

/** The state with its objects found and counted, ready for the new module. */
interface Taken {
  readonly memory: Uint8Array
  readonly view: DataView
  readonly linked: readonly number[]
  readonly own: readonly DataObject[]
  /** Headers of all objects. */
  readonly headers: ReadonlySet<number>
}

function takeState(old: Module, layout: StateLayout, state: RunningState): Taken {
  const memory = state.memory.slice()
  const view = new DataView(memory.buffer)
  const linked = linkedObjects(
    view,
    listHeads.map((name) => Number(state.globals.get(name) ?? 0n)),
  )
  const own = ownObjects(old, memory.length, layout)
  return {
    memory,
    view,
    linked,
    own,
    headers: new Set([...linked, ...own.map(({ header }) => header), ...state.older]),
  }
}

/**
 * The new module with the state in it. `placement` is what `placementOf` said of the build that `after` is: for `moved`
 * it was built again with `memoryBase` at the end of `state.memory`. Rejects `state-memory`, and what `runStart` rejects.
 */
export function carryState(
  before: StartedBuild,
  after: StartedBuild,
  state: RunningState,
  placement: Placement,
  runStart: RunStart,
): Carried {
  const [old, now] = [decodeModule(before.module), decodeModule(after.module)]
  const taken = takeState(old, before.layout, state)
  const liveIds = new Set([...taken.headers].map((header) => classIdOf(taken.view, header)))
  const classes = compareClasses(before.layout.classes, after.layout.classes, liveIds)
  const reasons = [
    ...(classes.kind === 'differs' ? classes.reasons : []),
    ...variableReasons(before.layout, after.layout, new Set(state.globals.keys())),
    ...tableReasons(old, now),
    ...(placement === 'moved' ? dataReasons(taken.view, old, taken.own) : []),
  ]
  if (classes.kind === 'differs' || reasons.length > 0) return { kind: 'reset', reasons }
  renumber(taken, classes.ids)
  const older = placement === 'same' ? state.older : [...state.older, ...taken.own.map(({ header }) => header)]
  const module = placement === 'same' ? bakeInPlace(now, taken, state) : bakeBehind(now, taken, state, runStart)
  return { kind: 'carried', module, older }
}

function renumber({ view, headers }: Taken, ids: ClassIds): void {
  for (const header of headers) {
    const id = ids.get(classIdOf(view, header))
    if (id !== undefined) setClassId(view, header, id)
  }
}

/** Lanes of the new module's globals by index: values of the state where it has them. */
function carriedLanes(now: Module, state: RunningState): Map<number, bigint> {
  const lanes = new Map<number, bigint>()
  for (const { name, index } of mutableGlobalsOf(now)) {
    const lane = state.globals.get(name)
    if (lane !== undefined) lanes.set(index, lane)
  }
  return lanes
}

function bakeInPlace(now: Module, { memory }: Taken, state: RunningState): Uint8Array {
  return bakeState(now, { memory, globals: carriedLanes(now, state) }, 'dropped')
}

/**
 * The start function runs once on the state, for variables that are new: it makes its objects in the heap that is there.
 * Then the old variables get their values back, and what it made is moved to the old list of the collector.
 */
function bakeBehind(now: Module, taken: Taken, state: RunningState, runStart: RunStart): Uint8Array {
  const views = mutableGlobalsOf(now)
  const lanes = carriedLanes(now, state)
  whiten(taken, views.find(({ name }) => name === whiteGlobal)?.index, lanes)
  const starting = bakeState(now, { memory: withNewData(taken.memory, now), globals: lanes }, 'kept')
  const started = runStart(starting)
  const memory = new DataView(started.memory.buffer, started.memory.byteOffset, started.memory.byteLength)
  views.forEach(({ name, index }, position) => {
    const lane = started.lanes[position] ?? 0n
    const carried = lanes.get(index)
    if (carried !== undefined && carried !== lane && listHeads.includes(name))
      for (const header of linkedObjects(memory, [Number(lane)])) linkTo(memory, Number(carried), header)
    if (carried === undefined || name === totalGlobal) lanes.set(index, lane)
  })
  return bakeState(now, { memory: started.memory, globals: lanes }, 'dropped')
}

/**
 * Makes 0 the colour of what is not reached yet. Objects in fresh data have colour 0; where the collector stands at 1 it
 * would take them for reached and never look into them.
 */
function whiten({ view, linked }: Taken, white: number | undefined, lanes: Map<number, bigint>): void {
  if (white === undefined || lanes.get(white) !== 1n) return
  for (const header of linked) flipColor(view, header)
  lanes.set(white, 0n)
}

/** The old memory, and behind it the new module's data. */
function withNewData(memory: Uint8Array, now: Module): Uint8Array {
  const pages = now.memories[0]?.minimum ?? 0
  const image = new Uint8Array(Math.max(memory.length, pages * wasmPageBytes))
  image.set(memory)
  for (const segment of now.data) image.set(segment.bytes, segmentStart(segment))
  return image
}
