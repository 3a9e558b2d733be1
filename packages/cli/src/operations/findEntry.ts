/** An entry by its name, or the names that there are. */
import { OnusError } from '@onus/protocol/errors'
import type { Entry, EntryKind, Interface } from '@onus/protocol/interface/description'
import { entryText } from '../values/typeText.js'

/** Rejects `no-entry`; with a `kind` an entry of the other kind too. */
export function findEntry(description: Interface, name: string, kind: EntryKind | null): Entry {
  const found = description.entries.find((entry) => entry.name === name)
  if (found !== undefined && (kind === null || found.kind === kind)) return found
  if (found !== undefined)
    throw new OnusError('no-entry', `${name} is no query: it changes the state`, { remedy: `Try: onus call ${name}` })
  const known = description.entries.filter((entry) => kind === null || entry.kind === kind)
  const list = known.map((entry) => `    ${entryText(description, entry)}`).join('\n')
  const what = kind === 'query' ? 'query' : 'entry'
  throw new OnusError('no-entry', `there is no ${what} ${JSON.stringify(name.slice(0, 80))}`, {
    remedy: known.length === 0 ? `the backend has no ${what} at all` : `what there is:\n${list}`,
  })
}
