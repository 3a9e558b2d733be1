import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildBackend } from '@onus/assemblyscript/build'
import { BuildError } from '@onus/assemblyscript/transform/problems'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-problems-'))
})
after(() => rm(folder, { recursive: true }))

/** The error of building `text` as `assembly/backend.ts`, with further files beside it. */
async function failureOf(text: string, others: Record<string, string> = {}): Promise<BuildError> {
  for (const [name, content] of Object.entries({ 'assembly/backend.ts': text, ...others })) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  try {
    await buildBackend({ entryFile: join(folder, 'assembly/backend.ts'), baseDirectory: folder, optimize: 'fast' })
  } catch (error) {
    assert.ok(error instanceof BuildError, String(error))
    return error
  }
  return assert.fail('the build succeeded')
}

const allowed =
  /allowed are bool, u8 to u64, i8 to i64, f32, f64, string, Uint8Array, T\[\], Map<K, V>, T \| null, enums, and classes/

describe('problems of a source name file, line, column and what is allowed', () => {
  const cases: readonly [what: string, source: string, place: string, message: RegExp][] = [
    [
      'a type that cannot cross',
      '\nexport function f(a: Set<u8>): void {}',
      '2:22',
      /parameter a of f has type Set<u8>, which cannot cross the interface; allowed are/,
    ],
    ['usize', 'export function f(a: usize): void {}', '1:22', /use u32; allowed are/],
    ['a function type', 'export function f(a: () => void): void {}', '1:22', /cannot cross the interface; allowed are/],
    [
      'a typed array in a class',
      'class C {\n  a: Float64Array = new Float64Array(0);\n}\nexport function f(c: C): void {}',
      '2:6',
      /field a of C has type Float64Array/,
    ],
    [
      'a generic class',
      'class Page<T> { items: T[] = []; }\nexport function f(): Page<u8> { return new Page<u8>(); }',
      '2:22',
      /generic type Page<u8> cannot cross/,
    ],
    [
      'a private field',
      'class C {\n  private a: u8 = 0;\n}\nexport function f(c: C): void {}',
      '2:11',
      /field a of C is not public/,
    ],
    ['a field without type', 'class C {\n  a = 5;\n}\nexport function f(c: C): void {}', '2:3', /Type expected/],
    ['a parameter without type', 'export function f(a): void {}', '1:20', /parameter a of f needs a type; allowed are/],
    ['a result without type', 'export function f() {}', '1:20', /Type expected/],
    [
      'a nullable number',
      'export function f(a: u32 | null): void {}',
      '1:22',
      /numbers, bool and enums cannot be null/,
    ],
    [
      'a nullable enum',
      'enum E { A }\nexport function f(a: E | null): void {}',
      '2:22',
      /numbers, bool and enums cannot be null/,
    ],
    [
      'an enum with values',
      'enum E { A, B = 5 }\nexport function f(a: E): void {}',
      '1:13',
      /cases are numbered from 0; remove the value of B/,
    ],
    [
      'a float as map key',
      'export function f(a: Map<f64, u8>): void {}',
      '1:26',
      /allowed are integers, bool, string, Address and enums/,
    ],
    [
      'an interface',
      'interface I { a: u8 }\nexport function f(a: I): void {}',
      '2:22',
      /not a class, enum or alias; allowed are/,
    ],
    [
      'an abstract class',
      'abstract class A { a: u8 = 0; }\nexport function f(a: A): void {}',
      '1:16',
      /abstract class crosses the interface only with/,
    ],
    [
      'a variant without cases',
      '/** @variant */\nclass A {}\nexport function f(a: A): void {}',
      '2:7',
      /declare its cases as classes that extend it/,
    ],
    [
      'a variant with fields',
      '/** @variant */\nclass A {\n  x: u8 = 0;\n}\nclass B extends A {}\nexport function f(a: A): void {}',
      '3:3',
      /put fields into its cases/,
    ],
    [
      'a class in itself',
      'class A {\n  a: u8 = 0;\n  next: A = new A();\n}\nexport function f(a: A): void {}',
      '1:7',
      /contains itself/,
    ],
    [
      'a list of nothing',
      'class A {}\nexport function f(a: A[]): void {}',
      '1:1',
      /an element of a list must take at least one byte/,
    ],
    ['a generic entry', 'export function f<T>(a: u8): void {}', '1:17', /f: an entry cannot be generic/],
    ['a reserved name', 'export function then(): void {}', '1:17', /this name is reserved/],
    ['no entry', 'function f(): void {}', '1:1', /no entry: export a function/],
    [
      'an entry exported apart',
      'function f(): void {}\nexport { f };\nexport function g(): void {}',
      '2:10',
      /entries are written `export function`/,
    ],
    [
      'a clock',
      'export function f(): i64 {\n  return Date.now();\n}',
      '2:10',
      /env\.Date\.now is not there: nodes have no common clock; use context\.time\(\)/,
    ],
    [
      'a console beyond log',
      'export function f(): void {\n  console.log("a");\n  console.error("a");\n}',
      '3:3',
      /env\.console\.error is not there: of console a backend has log\(text\) only/,
    ],
    [
      'a log of what is no text',
      'export function f(): void {\n  console.log(5);\n}',
      '2:15',
      /Type 'i32' is not assignable to type '~lib\/string\/String'/,
    ],
    [
      'a type of the SDK that is not imported',
      'export function f(a: u256): void {}',
      '1:22',
      /type u256, .*write import { u256 } from "@onus\/assemblyscript"/,
    ],
    [
      'flags with other values',
      '/** @flags */\nenum F { A = 1, B = 3 }\nexport function f(a: F): void {}',
      '2:17',
      /the values are 1, 2, 4, 8 in order; write B = 1 << 1/,
    ],
    [
      'flags without values',
      '/** @flags */\nenum F { A, B }\nexport function f(a: F): void {}',
      '2:10',
      /write A = 1 << 0/,
    ],
    [
      'nullable flags',
      '/** @flags */\nenum F { A = 1 }\nexport function f(a: F | null): void {}',
      '3:22',
      /numbers, bool and enums cannot be null/,
    ],
    [
      'a limit of no parameter',
      '/** @limit text 5 */\nexport function f(a: string): void {}',
      '2:17',
      /f: @limit text: there is no such parameter/,
    ],
    [
      'a limit of a number',
      '/** @limit a 5 */\nexport function f(a: u32): void {}',
      '2:17',
      /f: @limit a: only a string, Uint8Array, array or Map has a limit/,
    ],
    [
      'a limit that is no number',
      '/** @limit a many */\nexport function f(a: string): void {}',
      '2:17',
      /f: @limit a: expected a whole number of 0 to 4294967295, got many/,
    ],
    [
      'a limit of nothing',
      '/** @limit a */\nexport function f(a: string): void {}',
      '2:17',
      /f: write `@limit PARAMETER NUMBER`/,
    ],
    [
      'gas of zero',
      '/** @gas 0 */\nexport function f(a: u32): void {}',
      '2:17',
      /f: @gas: expected a whole number of 1 to/,
    ],
    [
      'docs of no parameter',
      '/** @param b what it is */\nexport function f(a: u32): void {}',
      '2:17',
      /f: @param b: there is no such parameter/,
    ],
    [
      'an abstract event',
      '/** @event */\nabstract class E {}\nexport function f(): void {}',
      '2:16',
      /E: an event is a class with fields/,
    ],
    [
      'two events of one name',
      '/** @event */\nclass E {}\n/** @event */\nclass e {}\nexport function f(): void {}',
      '4:7',
      /two events are called e; rename one of them/,
    ],
    [
      'an event with a field that cannot cross',
      '/** @event */\nclass E { a: Set<u8> = new Set<u8>(); }\nexport function f(): void {}',
      '2:14',
      /field a of E has type Set<u8>/,
    ],
    [
      'random bytes of the host',
      'export function f(): void {\n  crypto.getRandomValues(new Uint8Array(1));\n}',
      '2:3',
      /env\.crypto/,
    ],
    [
      'an import of its own',
      '@external("env", "clock")\ndeclare function clock(): i64;\nexport function f(): i64 { return clock(); }',
      '1:19',
      /env\.clock is not there: a backend imports nothing but/,
    ],
    ['an error of the language', 'export function f(): u8 {\n  return "a";\n}', '2:10', /not assignable/],
    ['an unknown name', 'export function f(): u8 {\n  return missing;\n}', '2:10', /Cannot find name 'missing'/],
    ['a syntax error', 'export function f(: u8 {}', '1:18', /expected/i],
  ]
  for (const [what, source, place, message] of cases)
    test(what, async () => {
      const { problems } = await failureOf(source)
      const [problem] = problems
      assert.ok(problem !== undefined)
      assert.match(problem.message, message)
      assert.equal(`${problem.file}:${problem.line}:${problem.column}`, `assembly/backend.ts:${place}`)
    })

  test('all problems are shown at once, those of other files under their names', async () => {
    const error = await failureOf(
      'import { C } from "./model";\nexport function f(c: C, d: Set<u8>): void {}\nexport function g(e: symbol): void {}',
      { 'assembly/model.ts': 'export class C {\n  a: Set<u8> = new Set<u8>();\n}\n' },
    )
    assert.equal(error.code, 'build-interface')
    assert.deepEqual(
      error.problems.map(({ file, line }) => `${file}:${line}`),
      ['assembly/model.ts:2', 'assembly/backend.ts:2', 'assembly/backend.ts:3'],
    )
    for (const problem of error.problems) assert.match(problem.message, allowed)
    assert.match(error.message, /^assembly\/model\.ts:2:6: field a of C/)
  })

  test('emit of what is no event', async () => {
    const error = await failureOf(
      'import { emit } from "@onus/assemblyscript";\nclass C {}\nexport function f(): void { emit(new C()); }',
    )
    assert.equal(error.code, 'build-source')
    assert.match(error.message, /emit takes an object of a class with the comment \/\*\* @event \*\//)
  })

  test('two types of one name', async () => {
    const error = await failureOf(
      'import { C } from "./a";\nimport { C as D } from "./b";\nexport function f(c: C, d: D): void {}',
      { 'assembly/a.ts': 'export class C { a: u8 = 0; }', 'assembly/b.ts': 'export class C { b: u8 = 0; }' },
    )
    assert.match(error.message, /both declare C; rename one/)
  })

  test('a file that is not there', async () => {
    await assert.rejects(buildBackend({ entryFile: join(folder, 'nowhere.ts') }), { code: 'build-source' })
    const error = await failureOf('import { C } from "./missing";\nexport function f(c: C): void {}')
    assert.match(error.message, /missing\.ts' not found/)
  })
})
