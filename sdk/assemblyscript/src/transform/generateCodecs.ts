/**
 * AssemblyScript source of the codecs, put at the end of the files that declare the types, so that
 * every type is written by the name it has there. A function is generated once for each type text of a file.
 */
import type { Source } from 'assemblyscript'
import type { FieldModel, Model, NamedModel, ShapeModel } from './typeModel.js'

/** Code to append, by file. */
export interface Generated {
  readonly source: Source
  /** Number of the file in the order of first use; part of every generated name. */
  readonly index: number
  readonly functions: string[]
  /** Functions of other files used here: name to file. */
  readonly imports: Map<string, Source>
  /** Names of functions already generated, by type text. */
  readonly known: Map<string, string>
}

export interface Generator {
  readonly files: Map<Source, Generated>
  readonly done: Set<NamedModel>
}

export function fileOf(generator: Generator, source: Source): Generated {
  const known = generator.files.get(source)
  if (known !== undefined) return known
  const index = generator.files.size
  const generated: Generated = { source, index, functions: [], imports: new Map(), known: new Map() }
  generator.files.set(source, generated)
  return generated
}

type Direction = 'read' | 'write'

/** Expression that reads a value of `model` in `file`, or statement that writes `value`. */
export function codec(
  generator: Generator,
  file: Generated,
  model: Model,
  direction: Direction,
  value: string,
): string {
  const write = direction === 'write'
  switch (model.kind) {
    case 'number': {
      const method = model.type.startsWith('f') ? 'Float' : 'Integer'
      return write
        ? `__onus_encode.write${method}<${model.type}>(${value})`
        : `__onus_decode.read${method}<${model.type}>()`
    }
    case 'bool':
      return write ? `__onus_encode.writeBool(${value})` : '__onus_decode.readBool()'
    case 'string':
      return write ? `__onus_encode.writeString(${value})` : '__onus_decode.readString()'
    case 'bytes':
      return write ? `__onus_encode.writeBytes(${value})` : '__onus_decode.readBytes()'
    case 'address':
      return write ? `__onus_encode.writeAddress(${value})` : '__onus_decode.readAddress()'
    case 'wide':
      return write ? `__onus_encode.writeWide(${value})` : `__onus_wide.read_${model.type}()`
    case 'named':
      return `${namedCodec(generator, file, model.named, direction)}(${value})`
    default:
      return `${compositeCodec(generator, file, model)}_${direction}(${value})`
  }
}

/** Name, without direction, of the functions for a list, map, option or result in `file`. */
function compositeCodec(generator: Generator, file: Generated, model: Extract<Model, { text: string }>): string {
  const known = file.known.get(model.text)
  if (known !== undefined) return known
  const name = `__onus_${file.index}_${file.known.size}`
  file.known.set(model.text, name)
  const read = (inner: Model): string => codec(generator, file, inner, 'read', '')
  const write = (inner: Model, value: string): string => codec(generator, file, inner, 'write', value)
  if (model.kind === 'option') {
    file.functions.push(
      `function ${name}_read(): ${model.text} { return __onus_decode.readPresence() ? ${read(model.content)} : null; }`,
      `function ${name}_write(value: ${model.text}): void {
  if (changetype<usize>(value) == 0) { __onus_encode.writeByte(0); return; }
  __onus_encode.writeByte(1);
  ${write(model.content, `changetype<${model.contentText}>(value)`)};
}`,
    )
  } else if (model.kind === 'list') {
    file.functions.push(
      `function ${name}_read(): ${model.text} {
  const count = __onus_decode.readCount();
  const list = new Array<${model.elementText}>(count);
  for (let i = 0; i < count; i++) { const element = ${read(model.element)}; unchecked(list[i] = element); }
  return list;
}`,
      `function ${name}_write(list: ${model.text}): void {
  const count = list.length;
  __onus_encode.writeCount(count);
  for (let i = 0; i < count; i++) { ${write(model.element, 'list[i]')}; }
}`,
    )
  } else if (model.kind === 'result') file.functions.push(...resultCodec(name, model, read, write))
  else file.functions.push(...mapCodec(name, model, read, write))
  return name
}

function resultCodec(
  name: string,
  { text, ok, err, okText, errText }: Extract<Model, { kind: 'result' }>,
  read: (inner: Model) => string,
  write: (inner: Model, value: string) => string,
): string[] {
  return [
    `function ${name}_read(): ${text} {
  if (__onus_decode.readIsOk()) { const value = ${read(ok)}; return new ${text}(true, value, __onus_result.absent<${errText}>()); }
  const error = ${read(err)};
  return new ${text}(false, __onus_result.absent<${okText}>(), error);
}`,
    `function ${name}_write(value: ${text}): void {
  __onus_encode.writeByte(i32(value.isOk));
  if (value.isOk) { ${write(ok, 'value.value')}; return; }
  ${write(err, 'value.error')};
}`,
  ]
}

function mapCodec(
  name: string,
  model: Extract<Model, { kind: 'map' }>,
  read: (inner: Model) => string,
  write: (inner: Model, value: string) => string,
): string[] {
  return [
    `function ${name}_read(): ${model.text} {
  const count = __onus_decode.readCount();
  const map = instantiate<${model.text}>();
  if (count == 0) return map;
  let previous = ${read(model.key)};
  map.set(previous, ${read(model.value)});
  for (let i = 1; i < count; i++) {
    const key = ${read(model.key)};
    __onus_encode.checkOrder<${model.keyText}>(previous, key);
    map.set(key, ${read(model.value)});
    previous = key;
  }
  return map;
}`,
    `function ${name}_write(map: ${model.text}): void {
  const keys = __onus_encode.sortedKeys(map);
  __onus_encode.writeCount(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    ${write(model.key, 'key')};
    ${write(model.value, 'map.get(key)')};
  }
}`,
  ]
}

/** Name of the function for a declared type, imported into `file` if it is declared in another. */
export function namedCodec(generator: Generator, file: Generated, named: NamedModel, direction: Direction): string {
  const home = fileOf(generator, named.source)
  const name = `__onus_${home.index}_${named.name}`
  if (!generator.done.has(named)) {
    generator.done.add(named)
    home.functions.push(...declaredCodec(generator, home, named, name))
  }
  return importInto(file, home, `${name}_${direction}`)
}

function importInto(file: Generated, home: Generated, name: string): string {
  if (file !== home) file.imports.set(name, home.source)
  return name
}

function declaredCodec(generator: Generator, home: Generated, named: NamedModel, name: string): string[] {
  const { shape } = named
  const reader = (body: string): string => `export function ${name}_read(): ${named.name} {\n${body}\n}`
  const writer = (body: string): string => `export function ${name}_write(value: ${named.name}): void {\n${body}\n}`
  switch (shape.form) {
    case 'alias':
      return [
        reader(`  return ${codec(generator, home, shape.target, 'read', '')};`),
        writer(`  ${codec(generator, home, shape.target, 'write', 'value')};`),
      ]
    case 'enum':
      return [
        reader(`  return <${named.name}>__onus_decode.readCase(${shape.cases.length});`),
        writer(`  __onus_encode.writeCase(<i32>value, ${shape.cases.length});`),
      ]
    case 'flags':
      return [
        reader(`  return <${named.name}>__onus_decode.readFlags(${shape.cases.length});`),
        writer(`  __onus_encode.writeFlags(<i32>value, ${shape.cases.length});`),
      ]
    case 'variant':
      return variantCodec(generator, home, named.name, shape, reader, writer)
    case 'record':
      return recordCodec(generator, home, named, shape, name, reader, writer)
    case 'pending':
      return []
  }
}

type Wrap = (body: string) => string

function variantCodec(
  generator: Generator,
  home: Generated,
  name: string,
  shape: Extract<ShapeModel, { form: 'variant' }>,
  reader: Wrap,
  writer: Wrap,
): string[] {
  const reads = shape.cases.map((item, index) => {
    // The last case is the default, so that the compiler sees every path assign the value.
    const label = index === shape.cases.length - 1 ? 'default' : `case ${index}`
    return `    ${label}: value = ${namedCodec(generator, home, item, 'read')}(); break;`
  })
  const writes = shape.cases.map(
    (item, index) =>
      `  if (value instanceof ${item.name}) { __onus_encode.writeByte(${index}); ${namedCodec(generator, home, item, 'write')}(<${item.name}>value); __onus_encode.leaveOutput(); return; }`,
  )
  return [
    reader(`  __onus_input.enter();
  const tag = __onus_decode.readTag(${shape.cases.length});
  let value: ${name};
  switch (tag) {
${reads.join('\n')}
  }
  __onus_input.leave();
  return value;`),
    writer(`  __onus_encode.enterOutput();\n${writes.join('\n')}\n  __onus_encode.refuseCase();`),
  ]
}

function recordCodec(
  generator: Generator,
  home: Generated,
  named: NamedModel,
  shape: Extract<ShapeModel, { form: 'record' }>,
  name: string,
  reader: Wrap,
  writer: Wrap,
): string[] {
  const base = shape.base
  const baseCall = (direction: Direction): string => {
    if (base === null) return ''
    namedCodec(generator, home, base, direction)
    const baseHome = fileOf(generator, base.source)
    return `  ${importInto(home, baseHome, `__onus_${baseHome.index}_${base.name}_${direction}_fields`)}(value);\n`
  }
  const reads = shape.fields.map(
    (field) => `  ${assignment(named.name, field, codec(generator, home, field.model, 'read', ''))}`,
  )
  const writes = shape.fields.map(
    (field) => `  ${codec(generator, home, field.model, 'write', `value.${field.name}`)};`,
  )
  return [
    `export function ${name}_read_fields(value: ${named.name}): void {\n${baseCall('read')}${reads.join('\n')}\n}`,
    `export function ${name}_write_fields(value: ${named.name}): void {\n${baseCall('write')}${writes.join('\n')}\n}`,
    // No constructor is run: every field is assigned before anything else can see the object.
    reader(`  __onus_input.enter();
  const value = changetype<${named.name}>(__new(offsetof<${named.name}>(), idof<${named.name}>()));
  ${name}_read_fields(value);
  __onus_input.leave();
  return value;`),
    writer(`  __onus_encode.enterOutput();\n  ${name}_write_fields(value);\n  __onus_encode.leaveOutput();`),
  ]
}

/** A readonly field cannot be assigned outside the constructor and is stored by its offset. */
function assignment(owner: string, field: FieldModel, read: string): string {
  if (!field.readonly) return `value.${field.name} = ${read};`
  return `__onus_decode.storeField(changetype<usize>(value) + offsetof<${owner}>("${field.name}"), ${read});`
}
