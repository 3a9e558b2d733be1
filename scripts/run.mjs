/**
 * Entry of `npm start`, `npm test` and `npm run bench | build | check`: takes a bare clone to the command.
 * Uses `node:` built-ins only, and here, before the version is known, only syntax that old versions of Node parse.
 * The commands themselves are in lib/commands.mjs.
 */
const oldestNode = 20

if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  process.stderr.write(
    `Onus needs Node.js ${oldestNode} or newer; this is ${process.version} (${process.execPath}).\n` +
      'Install a current version from https://nodejs.org or with your version manager (such as `nvm install 22`), then repeat the command.\n',
  )
  process.exitCode = 1
} else {
  import('./lib/commands.mjs').then(({ main }) => main(process.argv.slice(2)))
}
