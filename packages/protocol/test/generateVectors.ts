/**
 * Writes `spec/vectors/*.json` of this package's formats: `node packages/protocol/dist/test/generateVectors.js --write`.
 * To be run by hand when a format changes on purpose; the tests only compare. Without `--write` it changes nothing.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vectorFolder } from './support/repository.js'
import { textOf } from './vectors/vectorFile.js'
import { generatedVectors } from './vectors/vectorFiles.js'

if (process.argv.includes('--write'))
  for (const [name, build] of generatedVectors) {
    const text = textOf(build())
    writeFileSync(join(vectorFolder, name), text)
    console.log(`${name}: ${text.length} bytes`)
  }
else console.log('nothing written: give --write to replace the vectors in spec/vectors')
