/**
 * Writes `spec/vectors/*.json` of this package's formats: `node packages/protocol/dist/test/generateVectors.js --write`.
 * To be run by hand when a format changes on purpose; the tests take the same texts from here and only compare.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { vectorFolder } from './support/repository.js'
import { textOf } from './vectors/vectorFile.js'
import { generatedVectors } from './vectors/vectorFiles.js'

/** The text of a generated file, as it is committed. */
export function vectorText(name: string): string {
  const build = generatedVectors.get(name)
  if (build === undefined) throw new Error(`${name} is not generated here`)
  return textOf(build())
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--write'))
  for (const name of generatedVectors.keys()) {
    const text = vectorText(name)
    writeFileSync(join(vectorFolder, name), text)
    console.log(`${name}: ${text.length} bytes`)
  }
