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

/** One frame with its function, found in the source where the node does not name it, and the line of the source. */
async function frameText(line: string, root: string | null): Promise<{ text: string; source: string | null }> {
  const found = frame.exec(line)
  if (found === null) return { text: `    ${line.trim()}`, source: null }
  const [, named, file = '', lineNumber = '0', column = '0'] = found
  const content =
    root === null || file.startsWith('~lib') ? null : await readFile(join(root, file), 'utf8').catch(() => null)
  const name = named ?? (content === null ? null : enclosingFunction(content, Number(lineNumber)))
  const place = `${file}:${lineNumber}:${column}`
  return {
    text: `    at ${name === null ? place : `${name} (${place})`}`,
    source: content?.split('\n')[Number(lineNumber) - 1]?.trim().slice(0, longestSourceLine) ?? null,
  }
}

/** The guest's words for people: message, frames, and the line of the source where it happened. */
export async function trapText(entry: string, words: string, root: string | null): Promise<string> {
  const [message = '', ...lines] = words.split('\n')
  const frames = await Promise.all(lines.slice(0, framesShown).map((line) => frameText(line, root)))
  if (frames.length === 0) return `${message}\n    in ${entry}`
  const at = frames.findIndex(({ source }) => source !== null)
  return [
    message,
    ...frames.flatMap(({ text, source }, index) => (index === at ? [text, `        ${source}`] : [text])),
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
