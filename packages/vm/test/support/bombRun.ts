/** Runs every recursion bomb under the flags of V8 that this process was started with. */
import { bombs } from './bombs.js'
import { callInWorker } from './stackWorker.js'

for (const { name, module } of bombs()) {
  const details = new Set(await callInWorker(module, 3))
  console.log(`${name}: ${[...details].join(', ')}`)
}
