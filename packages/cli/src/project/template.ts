/** The files of a new project. Small on purpose: each shows one thing, and all of it runs. */

export interface TemplateNames {
  /** Folder and package name: `my-notes`. */
  readonly packageName: string
  /** Identifier: `myNotes`. */
  readonly name: string
  /** Absolute path of the clone of Onus that the project works with. */
  readonly clone: string
}

export interface TemplateFile {
  readonly path: string
  readonly content: string
}

const backend = `class Note {
  constructor(public id: u32, public text: string) {}
}

const notes = new Array<Note>();

/** Exported functions are the entries; what they change is kept. A text may have at most 1,000 characters. */
export function add(text: string): u32 {
  if (text.length == 0 || text.length > 1000) throw new Error("a note has 1 to 1,000 characters");
  notes.push(new Note(notes.length, text));
  return notes.length - 1;
}

/** @query */
export function list(from: u32, max: u32): Note[] {
  return notes.slice(from, from + max);
}
`

const clientSource = ({
  name,
}: TemplateNames): string => `/** A typed client: node client.ts text … (Node 22.18 or newer runs TypeScript; with Node 20: npm run client -- text …) */
import { readFile } from 'node:fs/promises'
import { connect } from '@onus/client/connect'
import { ${name} } from './${name}.interface.ts'

// What \`onus dev\` writes. The genesis is what is trusted: it names the members and the code.
const folder = '.onus'
const dev = JSON.parse(await readFile(\`\${folder}/dev.json\`, 'utf8')) as { nodes: string[]; genesis: string }
const genesis = new Uint8Array(await readFile(\`\${folder}/\${dev.genesis}\`))

const cluster = await connect({ genesis, nodes: dev.nodes, interface: ${name} })
for (const text of process.argv.slice(2)) {
  const { value, report } = await cluster.send.add(text).until('certified')
  console.log(\`note \${value} certified by \${report.certifiedBy.length} nodes in block \${report.height}\`)
}
const { value, report } = await cluster.query.list(0, 10)
console.log(value, \`verified at block \${report.height}\`)
cluster.close()
`

const testSource = ({
  name,
}: TemplateNames): string => `/** The backend in this process: explicit time, no ports, no sleeps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtModule, testBackend } from 'onus/testing'
import { ${name} } from '../${name}.interface.ts'

const start = () => testBackend(${name}, { wasm: builtModule('${name}') })

test('notes are kept in order', () => {
  const backend = start()
  assert.equal(backend.call.add('buy milk'), 0)
  assert.equal(backend.call.add('call Ada'), 1)
  assert.deepEqual(backend.query.list(0, 10), [
    { id: 0, text: 'buy milk' },
    { id: 1, text: 'call Ada' },
  ])
})

test('a call that throws changes nothing', () => {
  const backend = start()
  assert.throws(() => backend.call.add(''), /1 to 1,000 characters/)
  assert.deepEqual(backend.query.list(0, 10), [])
})
`

const page = ({ name }: TemplateNames): string => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>${name}</title>
  <style>
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
    small { color: #555; }
    [role='alert'] { color: #b00020; }
  </style>
  <h1>${name}</h1>
  <form id="form">
    <label>New note <input id="text" required maxlength="1000" autocomplete="off"></label>
    <button>Add</button>
  </form>
  <p id="message" role="status" aria-live="polite"></p>
  <ul id="notes"></ul>
  <script type="module" src="./page.js"></script>
</html>
`

const pageScript = `// Runs in the browser as it is: \`onus dev\` serves the client's modules. Every value shown was verified here.
import { connect } from '@onus/client/connect'
import { cluster as description } from '/onus/cluster.js'

const element = (id) => document.getElementById(id)
const message = element('message')

async function show(cluster) {
  const { value, report } = await cluster.query.list(0, 100)
  element('notes').replaceChildren(
    ...value.map(({ id, text }) => {
      const item = document.createElement('li')
      item.textContent = \`\${id}: \${text}\`
      return item
    }),
  )
  return report
}

try {
  const cluster = await connect(description)
  element('form').addEventListener('submit', async (event) => {
    event.preventDefault()
    message.textContent = 'waiting for more than 2/3 of the nodes …'
    try {
      const { value, report } = await cluster.send.add(element('text').value).until('certified')
      await show(cluster)
      message.textContent = \`note \${value} certified by \${report.certifiedBy.length} nodes in block \${report.height}, \${Math.round(report.latency.total)} ms\`
      element('form').reset()
    } catch (error) {
      message.textContent = error.message
    }
  })
  const report = await show(cluster)
  message.textContent = \`verified at block \${report.height}\`
} catch (error) {
  message.textContent = error.message
}
`

const readme = ({ packageName, name, clone }: TemplateNames): string => `# ${packageName}

A backend on Onus. You need Node 20 or newer.

\`\`\`
npx onus dev                    four nodes, rebuilt and reloaded on save; the page is at the printed address
npx onus call add "buy milk"    one certified call
npx onus query list 0 10        a verified answer
npm test                        the backend in one process, no ports, no sleeps
npm run client -- "call Ada"    the typed client in client.ts
\`\`\`

| | |
| --- | --- |
| \`src/backend.ts\` | the backend; exported functions are its entries, \`/** @query */\` marks those that only read |
| \`${name}.interface.ts\` | generated from it; commit it, clients infer all types from it |
| \`client.ts\`, \`web/\` | a typed client for Node and a page |
| \`test/\` | unit tests |

Onus is not published yet: this project works with the clone in \`${clone}\`, by links in \`node_modules\` that \`onus new\`
made. \`npm install\` makes the same links again, without the network.
`

function packageJson({ packageName, name, clone }: TemplateNames): string {
  const link = (folder: string): string => `file:${clone}/${folder}`
  return `${JSON.stringify(
    {
      name: packageName,
      version: '0.1.0',
      private: true,
      type: 'module',
      onus: { name, backend: 'src/backend.ts' },
      scripts: {
        dev: 'onus dev',
        build: 'onus build',
        test: 'onus build && tsc && node --test out/test/',
        client: 'tsc && node out/client.js',
      },
      dependencies: { '@onus/client': link('packages/client') },
      devDependencies: {
        '@onus/assemblyscript': link('sdk/assemblyscript'),
        '@onus/protocol': link('packages/protocol'),
        '@types/node': link('node_modules/@types/node'),
        assemblyscript: link('node_modules/assemblyscript'),
        onus: link('packages/cli'),
        typescript: link('node_modules/typescript'),
      },
    },
    null,
    2,
  )}\n`
}

const tsconfig = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      module: 'nodenext',
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      erasableSyntaxOnly: true,
      rewriteRelativeImportExtensions: true,
      rootDir: '.',
      outDir: 'out',
      types: ['node'],
    },
    include: ['*.ts', 'test'],
  },
  null,
  2,
)}\n`

/** AssemblyScript has types of its own; editors take them from here. */
const backendTsconfig = `${JSON.stringify(
  { extends: 'assemblyscript/std/assembly.json', include: ['./**/*.ts'] },
  null,
  2,
)}\n`

const ignored = 'node_modules/\nbuild/\nout/\n.onus/\n'

export function templateFiles(names: TemplateNames): TemplateFile[] {
  return [
    { path: 'package.json', content: packageJson(names) },
    { path: 'tsconfig.json', content: tsconfig },
    { path: '.gitignore', content: ignored },
    { path: 'README.md', content: readme(names) },
    { path: 'src/backend.ts', content: backend },
    { path: 'src/tsconfig.json', content: backendTsconfig },
    { path: 'client.ts', content: clientSource(names) },
    { path: `test/${names.name}.test.ts`, content: testSource(names) },
    { path: 'web/index.html', content: page(names) },
    { path: 'web/page.js', content: pageScript },
  ]
}
