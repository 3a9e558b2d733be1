/**
 * The compiler process of a build service (`buildService.ts`): builds what it is asked for, one after the other, and
 * stays warm. Ends when its parent does. To be forked, not imported.
 */
import { assert } from '@onus/protocol/errors'
import { buildBackend } from './build.js'
import type { BuildReply, BuildRequest } from './buildMessages.js'
import { BuildError } from './transform/problems.js'

async function replyTo({ id, options }: BuildRequest): Promise<BuildReply> {
  try {
    return { id, built: await buildBackend(options) }
  } catch (error) {
    if (error instanceof BuildError) return { id, code: error.code, problems: error.problems }
    // Whatever the compiler throws on a source is a problem of that source, not of this process.
    const message = `the compiler failed: ${error instanceof Error ? error.message : String(error)}`
    return { id, code: 'build-compiler', problems: [{ file: options.entryFile, line: 1, column: 1, message }] }
  }
}

assert(process.send !== undefined, 'the compiler process is forked by a build service')
let last: Promise<void> = Promise.resolve()
process.on('message', (request: BuildRequest) => {
  last = last.then(async () => {
    const reply = await replyTo(request)
    process.send?.(reply)
  })
})
process.on('disconnect', () => process.exit(0))
