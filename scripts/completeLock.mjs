// Adds to package-lock.json the optional packages of other platforms that the registry in use did not serve when the
// lock was written: npm leaves them out, and then `npm ci` refuses the lock. Run by hand after each `npm install`:
//   node scripts/completeLock.mjs
// Name and version come from the package that wants them; they have no integrity, for nobody here could fetch them.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32', 'aix']
const processors = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32']

function platformOf(name) {
  const words = name.split(/[-/.]/)
  const os = systems.filter((system) => words.includes(system))
  const cpu = processors.filter((processor) => words.includes(processor))
  return { ...(cpu.length > 0 && { cpu }), ...(os.length > 0 && { os }) }
}

let added = 0
for (const [path, entry] of Object.entries(lock.packages)) {
  if (!path.includes('node_modules/')) continue
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const at = `node_modules/${name}`
    const exact = version.replace(/^[~^]/, '')
    if (lock.packages[at] || lock.packages[`${path}/${at}`] || !/^\d+\.\d+\.\d+/.test(exact)) continue
    lock.packages[at] = { version: exact, ...(entry.dev && { dev: true }), optional: true, ...platformOf(name) }
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} packages of other platforms added`)
