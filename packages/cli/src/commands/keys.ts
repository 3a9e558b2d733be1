/** `onus keys`: the accounts of this user (`src/keys/keyStore.ts`). */
import { toHex } from '@onus/protocol/bytes'
import type { Command, Context } from '../command/command.js'
import { usageError } from '../command/parse.js'
import { currentKey, keysFolder, listKeys, newKey, readKey, type StoredKey, useKey } from '../keys/keyStore.js'

function print({ output, flags }: Context, key: StoredKey, note: string): number {
  const secret = flags.has('secret') ? { privateKey: `0x${toHex(key.privateKey)}` } : {}
  output.value(secret.privateKey ?? key.address, `${key.name}${note}`)
  output.result({ name: key.name, address: key.address, ...secret })
  return 0
}

async function list({ output }: Context, folder: string): Promise<number> {
  const keys = await listKeys(folder)
  for (const { name, address, isCurrent } of keys) output.line(`${isCurrent ? '*' : ' '} ${name.padEnd(16)} ${address}`)
  if (keys.length === 0) output.note(`no keys in ${folder}; the first call makes one named dev, or: onus keys new NAME`)
  output.result({ folder, keys })
  return 0
}

async function run(context: Context): Promise<number> {
  const [action, name] = context.positionals
  const folder = keysFolder(context.values.get('keys'))
  const needed = (): string => {
    if (name !== undefined) return name
    throw usageError(`onus keys ${action} needs the name of a key`, 'keys')
  }
  switch (action) {
    case 'new':
      return print(context, await newKey(folder, needed()), ` is made in ${folder}; use it: onus keys use ${name}`)
    case 'use':
      return print(context, await useKey(folder, needed()), ' is used from now on')
    case 'show':
      return print(context, name === undefined ? await currentKey(folder, undefined) : await readKey(folder, name), '')
    case 'list':
      return list(context, folder)
    default:
      throw usageError(`onus keys: expected new, list, show or use, got ${JSON.stringify(action)}`, 'keys')
  }
}

export const keysCommand: Command = {
  name: 'keys',
  about: 'make, list and choose the keys that sign calls',
  details: `A key is an Ethereum account; its private key lies in a file that only you may read. Without any, the first call
makes one named dev.`,
  positionals: [
    { name: 'ACTION', about: 'new, list, show or use' },
    { name: 'NAME', about: 'name of the key', isOptional: true },
  ],
  options: {
    keys: { value: 'DIR', about: 'folder of the keys (default ~/.config/onus/keys, or ONUS_KEYS)' },
    secret: { about: 'with show: print the private key too' },
  },
  examples: [
    { command: 'onus keys new alice', about: 'makes a key' },
    { command: 'onus keys use alice', about: 'signs with it from now on' },
    { command: 'onus keys list --json', about: 'names and addresses for a script' },
  ],
  run,
}
