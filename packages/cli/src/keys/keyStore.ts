/**
 * Accounts of the command line: private keys in files that only their user may read (folder 0700, files 0600). A key
 * named `dev` is made when none is there, for development; a cluster with deposits wants keys made on purpose.
 */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fromHex, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { addressOf, publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'

export interface StoredKey {
  readonly name: string
  /** `0x` and 40 hexadecimal digits. */
  readonly address: string
  /** 32 bytes. */
  readonly privateKey: Uint8Array
}

export interface KeyListing {
  readonly name: string
  readonly address: string
  /** Whether commands use it. */
  readonly isCurrent: boolean
}

const ending = '.key.json'
const currentFile = 'current'
const defaultName = 'dev'

/** `--keys`, else `ONUS_KEYS`, else `onus/keys` in the user's configuration folder. */
export function keysFolder(given: string | undefined): string {
  const named = given ?? process.env['ONUS_KEYS']
  if (named !== undefined && named !== '') return named
  const base = process.env['XDG_CONFIG_HOME']
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.config'), 'onus', 'keys')
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(name))
    throw new OnusError('key-name', `${JSON.stringify(name)} is no name of a key: up to 32 letters, digits, - and _`, {
      remedy: 'choose a name such as: onus keys new alice',
    })
}

/** Writes by a rename, so that a command that is interrupted leaves no half file; `flag` `wx` refuses to overwrite. */
async function writePrivate(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `.${name}.${process.pid}`)
  await writeFile(temporary, text, { mode: 0o600, flag: 'w' })
  await rename(temporary, join(folder, name))
}

async function readOptional(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null
    throw new OnusError('key-file', `${file} cannot be read: ${String(error)}`, { cause: error })
  }
}

function parseKey(name: string, file: string, text: string): StoredKey {
  try {
    const { key } = JSON.parse(text) as { readonly key?: unknown }
    const privateKey = fromHex(typeof key === 'string' ? key.replace(/^0x/, '') : '')
    return { name, privateKey, address: `0x${toHex(addressOf(publicKeyOf(privateKey)))}` }
  } catch (cause) {
    throw new OnusError('key-file', `${file} holds no key`, {
      remedy: `restore it from a copy, or delete it and make another: onus keys new ${name}`,
      cause,
    })
  }
}

/** Rejects `no-key`. */
export async function readKey(folder: string, name: string): Promise<StoredKey> {
  checkName(name)
  const file = join(folder, name + ending)
  const text = await readOptional(file)
  if (text !== null) return parseKey(name, file, text)
  throw new OnusError('no-key', `there is no key ${name} in ${folder}`, {
    remedy: `see: onus keys list, or make it: onus keys new ${name}`,
  })
}

/** Rejects `key-exists`. */
export async function newKey(folder: string, name: string): Promise<StoredKey> {
  checkName(name)
  const file = join(folder, name + ending)
  if ((await readOptional(file)) !== null)
    throw new OnusError('key-exists', `there is a key ${name} already`, { remedy: `see: onus keys show ${name}` })
  const privateKey = randomPrivateKey()
  const address = `0x${toHex(addressOf(publicKeyOf(privateKey)))}`
  await writePrivate(folder, name + ending, `${JSON.stringify({ address, key: `0x${toHex(privateKey)}` })}\n`)
  return { name, address, privateKey }
}

async function currentName(folder: string): Promise<string> {
  return (await readOptional(join(folder, currentFile)))?.trim() ?? defaultName
}

export async function useKey(folder: string, name: string): Promise<StoredKey> {
  const key = await readKey(folder, name)
  await writePrivate(folder, currentFile, `${name}\n`)
  return key
}

export async function listKeys(folder: string): Promise<KeyListing[]> {
  const files = await readdir(folder).catch(() => [])
  const current = await currentName(folder)
  const names = files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length))
  return Promise.all(
    names.sort().map(async (name) => ({
      name,
      address: (await readKey(folder, name)).address,
      isCurrent: name === current,
    })),
  )
}

/** The key called `name`, or the one in use; without any, `dev` is made. */
export async function currentKey(folder: string, name: string | undefined): Promise<StoredKey> {
  const wanted = name ?? (await currentName(folder))
  try {
    return await readKey(folder, wanted)
  } catch (error) {
    if (wanted !== defaultName || !(error instanceof OnusError) || error.code !== 'no-key') throw error
    return newKey(folder, defaultName).catch((failure: unknown) => {
      // Another command made it in the meantime.
      if (failure instanceof OnusError && failure.code === 'key-exists') return readKey(folder, defaultName)
      throw failure
    })
  }
}
