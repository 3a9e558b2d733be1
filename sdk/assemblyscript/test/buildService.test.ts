/** Builds in a process of their own: warm, in order, typed errors, and what happens when the compiler dies. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildBackend } from '@onus/assemblyscript/build'
import { BuildService } from '@onus/assemblyscript/buildService'
import { BuildError } from '@onus/assemblyscript/transform/problems'
import { equalBytes } from '@onus/protocol/bytes'

let folder: string
let service: BuildService
let entryFile: string
let brokenFile: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-service-'))
  entryFile = join(folder, 'notes.ts')
  brokenFile = join(folder, 'broken.ts')
  await writeFile(
    entryFile,
    'const notes: string[] = [];\nexport function add(text: string): u32 { return notes.push(text); }\n',
  )
  await writeFile(brokenFile, 'export function add(text: string): u32 {\n  return text;\n}\n')
  service = new BuildService()
})
after(async () => {
  await service.close()
  await rm(folder, { recursive: true })
})

describe('build service', () => {
  test('builds what buildBackend builds, again and again in one process', async () => {
    const here = await buildBackend({ entryFile, baseDirectory: folder })
    const first = await service.build({ entryFile, baseDirectory: folder })
    assert.ok(equalBytes(first.wasm, here.wasm))
    assert.deepEqual(first.interface, here.interface)
    assert.equal(first.description, here.description)
    const { processId } = service
    const again = await service.build({ entryFile, baseDirectory: folder })
    assert.ok(equalBytes(again.wasm, here.wasm))
    assert.equal(service.processId, processId)
  })

  test('fast builds are modules of the same interface', async () => {
    const fast = await service.build({ entryFile, baseDirectory: folder, optimize: 'fast' })
    assert.ok(WebAssembly.validate(fast.wasm))
    assert.equal(fast.interface.entries[0]?.name, 'add')
  })

  test('problems of the source come with file, line and column, and the next build is not disturbed', async () => {
    const builds = [brokenFile, entryFile, brokenFile].map((file) =>
      service.build({ entryFile: file, baseDirectory: folder }).then(
        (built) => built.name,
        (error) => error,
      ),
    )
    const [first, second, third] = await Promise.all(builds)
    assert.ok(first instanceof BuildError && third instanceof BuildError)
    assert.equal(first.code, 'build-source')
    assert.deepEqual(
      first.problems.map(({ file, line, column }) => [file, line, column]),
      [['broken.ts', 2, 10]],
    )
    assert.equal(second, 'notes')
  })

  test('a compiler that dies rejects its build, and the next build has a new one', async () => {
    const dying = service.build({ entryFile, baseDirectory: folder })
    const behind = service.build({ entryFile, baseDirectory: folder })
    const { processId } = service
    assert.ok(processId !== undefined)
    process.kill(processId, 'SIGKILL')
    await assert.rejects(dying, (error) => error instanceof BuildError && error.code === 'build-compiler')
    assert.equal((await behind).name, 'notes')
    assert.notEqual(service.processId, processId)
  })

  test('a compiler that takes too long is ended', async () => {
    const hasty = new BuildService({ timeLimit: 20 })
    await assert.rejects(hasty.build({ entryFile, baseDirectory: folder }), /took longer than 20 ms/)
    await hasty.close()
  })

  test('close ends the process and what is being built', async () => {
    const other = new BuildService()
    const unfinished = assert.rejects(other.build({ entryFile, baseDirectory: folder }), { code: 'build-closed' })
    await other.close()
    await unfinished
    await assert.rejects(other.build({ entryFile }), { code: 'build-closed' })
    await other.close()
  })
})
