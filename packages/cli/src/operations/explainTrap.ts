/**
 * Why a call trapped. The certified receipt says only that it did; the words and places are those of the node that gave
 * it, so they are shown as such and never believed. A node that does not keep them is asked to run the same arguments once
 * more as a query, whose writes are always undone.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallError } from '@onus/client/clientErrors'
import { OnusError } from '@onus/protocol/errors'
import type { Entry } from '@onus/protocol/interface/description'
import type { ClusterFile } from '../cluster/clusterFile.js'
import { enclosingFunction } from './enclosingFunction.js'

const patience = 5_000
const longestSourceLine = 100
const framesShown = 6
/** `at file:line:column` or `at function (file:line:column)`. */
const frame = /^ *at (?:(.+) \()?([^\n:()]+):(\d+):(\d+)\)?$/
/** The compiler's name of a function: path of its source without ending, and name. */
const internalName = /^at ([\w./-]+)\/([\w$#.~:<>,|]+)$/

async function fetchJson(url: string, options: RequestInit): Promise<unknown> {
  try {
    const response = await fetch(url, { ...options, signal: AbortSignal.timeout(patience) })
    return await response.json()
  } catch {
    return null
  }
}

/** What the node kept of the call's trap, as lines; null where it kept nothing. */
async function keptWords(node: string, transactionId: string): Promise<string | null> {
  const json = await fetchJson(`${node}/v1/receipts/${transactionId}`, { headers: { accept: 'application/json' } })
  const { receipts } = (json ?? {}) as { readonly receipts?: readonly { readonly hint?: unknown }[] }
  const hint = receipts?.[0]?.hint as { readonly message?: unknown; readonly trace?: unknown } | undefined
  if (typeof hint?.message !== 'string') return null
  const trace = Array.isArray(hint.trace) ? hint.trace.map((line) => `    at ${String(line)}`) : []
  return [hint.message, ...trace].join('\n')
}

/** What the guest says when it is run again; null where it answers now. */
async function wordsAgain(node: string, request: Uint8Array): Promise<string | null> {
  const json = await fetchJson(`${node}/v1/queries`, {
    method: 'POST',
    body: request as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': 'application/octet-stream' },
  })
  const { error } = (json ?? {}) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } }
  return error?.code === 'query-trapped' && typeof error.message === 'string' ? error.message : null
}

interface Frame {
  /** As printed where nothing below is known of it. */
  readonly line: string
  /** Function, or null. */
  readonly name: string | null
  /** Path of the source, or null. */
  readonly file: string | null
  /** From 1; null where only the function is known. */
  readonly place: { readonly line: number; readonly column: number } | null
  /** The line of the source, or null. */
  readonly source: string | null
}

/** A frame that names a place, with its function found in the source, or one that the engine names `src/backend/add`. */
async function readFrame(text: string, root: string | null): Promise<Frame> {
  const line = text.trim().replace(/^in /, 'at ')
  const found = frame.exec(text)
  if (found !== null) {
    const [, named, file = '', lineNumber = '0', column = '0'] = found
    const place = { line: Number(lineNumber), column: Number(column) }
    const content =
      root === null || file.startsWith('~lib') ? null : await readFile(join(root, file), 'utf8').catch(() => null)
    const name = named ?? (content === null ? null : enclosingFunction(content, place.line))
    const source = content?.split('\n')[place.line - 1]?.trim().slice(0, longestSourceLine) ?? null
    return { line, name, file, place, source }
  }
  const internal = internalName.exec(line)
  if (internal === null) return { line, name: null, file: null, place: null, source: null }
  const [, module = '', name = ''] = internal
  return { line, name, file: `${module}.ts`, place: null, source: null }
}

/** `add` of `src/backend/add`, `grow` of `src/backend/Note#grow`. */
function shortName(name: string): string {
  return name.split(/[#.]/).at(-1) ?? name
}

/** The engine names the function again in which a place was told: once is enough. */
function mergeFrames(frames: readonly Frame[]): Frame[] {
  const merged: Frame[] = []
  for (const one of frames) {
    const last = merged.at(-1)
    const isSame =
      one.place === null &&
      one.name !== null &&
      last !== undefined &&
      last.place !== null &&
      last.file === one.file &&
      (last.name === null || shortName(last.name) === shortName(one.name))
    if (isSame) merged[merged.length - 1] = { ...last, name: last.name ?? one.name }
    else merged.push(one)
  }
  return merged
}

function frameText({ line, name, file, place }: Frame): string {
  if (file === null) return `    ${line}`
  const where = place === null ? file : `${file}:${place.line}:${place.column}`
  return `    at ${name === null ? where : `${name} (${where})`}`
}

/** The guest's words for people: message, frames, and the line of the source where it happened. */
export async function trapText(entry: string, words: string, root: string | null): Promise<string> {
  const [message = '', ...lines] = words.split('\n')
  const frames = mergeFrames(await Promise.all(lines.slice(0, framesShown).map((line) => readFrame(line, root))))
  if (frames.length === 0) return `${message}\n    in ${entry}`
  const at = frames.findIndex(({ source }) => source !== null)
  return [
    message,
    ...frames.flatMap((one, index) => (index === at ? [frameText(one), `        ${one.source}`] : [frameText(one)])),
  ].join('\n')
}

/** `request` is selector and arguments. */
export async function trapError(
  cluster: ClusterFile,
  entry: Entry,
  request: Uint8Array,
  error: CallError,
): Promise<OnusError> {
  const { report } = error
  const node = report.node.replace(/\/$/, '')
  const words = (await keptWords(node, report.transactionId)) ?? (await wordsAgain(node, request))
  const certified = `trap certified by ${report.certifiedBy.length} nodes · block ${report.height} · its writes are undone`
  if (words === null)
    return new OnusError('call-trapped', `${entry.name} trapped\n    ${certified}`, {
      remedy:
        'the node does not say why, and repeated now the call answers: its cause was in the state before, the caller or the time',
      cause: error,
    })
  const text = await trapText(entry.name, words, cluster.dev?.root ?? null)
  return new OnusError('call-trapped', `${text}\n    ${certified}`, {
    remedy: `that it trapped is certified; the words are those of ${node} alone`,
    cause: error,
  })
}
