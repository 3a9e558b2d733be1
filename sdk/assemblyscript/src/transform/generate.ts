/**
 * AssemblyScript source of the dispatcher, which reads the arguments of a call, calls the entry and writes what it
 * returned and emitted, and of the methods of events. Codecs are in generateCodecs.ts.
 */
import { assert } from '@onus/protocol/errors'
import type { Source } from 'assemblyscript'
import { codec, fileOf, type Generated, type Generator, namedCodec } from './generateCodecs.js'
import type { EntryModel, ParameterModel } from './readEntries.js'
import type { EventModel } from './readEvents.js'
import { unaliased } from './typeModel.js'

/** What is added to a class. */
export interface GeneratedMember {
  readonly event: EventModel
  /** Source of the method. */
  readonly code: string
}

/** What the sources get. */
export interface GeneratedCode {
  readonly files: Map<Source, Generated>
  readonly members: readonly GeneratedMember[]
}

/** By name. */
export interface Selectors {
  readonly entries: ReadonlyMap<string, Uint8Array>
  readonly events: ReadonlyMap<string, Uint8Array>
}

/** Code of all codecs that `entries` of `source` and `events` need, and of the dispatcher `__onus_dispatch` in `source`. */
export function generateCode(
  source: Source,
  entries: readonly EntryModel[],
  events: readonly EventModel[],
  selectors: Selectors,
  seeded: boolean,
): GeneratedCode {
  const generator: Generator = { files: new Map(), done: new Set() }
  const file = fileOf(generator, source)
  const cases: string[] = []
  for (const entry of entries) {
    // What a query allocates is undone with it.
    const end = entry.kind === 'entry' ? '__onus_call_ends(); ' : ''
    cases.push(`    case ${numberOf(selectors.entries.get(entry.name))}: __onus_call_${entry.name}(); ${end}return;`)
    file.functions.push(callCode(generator, file, entry, events.length > 0))
  }
  file.functions.push(`export function __onus_dispatch(): void {
  __onus_call_begins();
  const selector = __onus_input.loadInput();
${seeded ? '  Math.seedRandom(__onus_random.callSeed());\n' : ''}  switch (selector) {
${cases.join('\n')}
    default: __onus_abort.refuse("decode-selector");
  }
}`)
  const members = events.map((event) => eventMember(generator, event, numberOf(selectors.events.get(event.name))))
  return { files: generator.files, members }
}

/** A selector as the little-endian integer that the guest loads. */
function numberOf(selector: Uint8Array | undefined): number {
  assert(selector !== undefined, 'every entry and event has a selector')
  return new DataView(selector.buffer, selector.byteOffset).getUint32(0, true)
}

/** A method of the event's class, so that `emit` needs to know no type. */
function eventMember(generator: Generator, event: EventModel, selector: number): GeneratedMember {
  const { named } = event
  const home = fileOf(generator, named.source)
  const write = namedCodec(generator, home, named, 'write')
  const code = `__onus_emit(): void { __onus_events.beginEvent(); ${write}_fields(this); __onus_events.endEvent(${selector}); }`
  return { event, code }
}

/** Call that refuses a value beyond its limit before it is read. */
function limitCheck({ limit, model }: ParameterModel): string {
  return limit === undefined ? '' : `  __onus_decode.checkLimit(${limit}, ${unaliased(model).kind === 'option'});\n`
}

function callCode(generator: Generator, file: Generated, entry: EntryModel, hasEvents: boolean): string {
  const names = entry.params.map((_, index) => `__onus_argument_${index}`)
  const reads = entry.params.map((param, index) => {
    const read = codec(generator, file, param.model, 'read', '')
    return `${limitCheck(param)}  const __onus_argument_${index} = ${read};\n`
  })
  const call = `${entry.name}(${names.join(', ')})`
  const body =
    entry.result === null
      ? `  ${call};\n  __onus_encode.beginOutput();\n`
      : `  const __onus_result_value = ${call};\n  __onus_encode.beginOutput();\n  ${codec(generator, file, entry.result, 'write', '__onus_result_value')};\n`
  const begin = hasEvents ? `  __onus_events.beginEvents(${entry.kind === 'entry'});\n` : ''
  const end = hasEvents ? '  __onus_events.writeEvents();\n' : ''
  return `function __onus_call_${entry.name}(): void {\n${reads.join('')}  __onus_input.finishInput();\n${begin}${body}${end}  __onus_encode.finishOutput();\n}`
}
