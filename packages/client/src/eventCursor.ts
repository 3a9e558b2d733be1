/** A place in the events of a cluster (`spec/gateway.md` 5): the last event that was seen, or the end of a block. */
import { OnusError } from '@onus/protocol/errors'

export interface EventCursor {
  readonly height: number
  /** Infinite at the end of the block. */
  readonly index: number
  readonly event: number
}

const behindAll = Number.POSITIVE_INFINITY

export function endOfBlock(height: number): EventCursor {
  return { height, index: behindAll, event: behindAll }
}

/** `HEIGHT` or `HEIGHT.INDEX.EVENT`. */
export function cursorText({ height, index, event }: EventCursor): string {
  return index === behindAll ? String(height) : `${height}.${index}.${event}`
}

const form = /^(0|[1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,9}))?$/

/** Rejects `cursor-form`. */
export function parseCursor(text: string): EventCursor {
  const [, height, index, event] = form.exec(text) ?? []
  if (height === undefined)
    throw new OnusError('cursor-form', `expected the cursor of an event, got ${JSON.stringify(text.slice(0, 60))}`)
  if (index === undefined || event === undefined) return endOfBlock(Number(height))
  return { height: Number(height), index: Number(index), event: Number(event) }
}

/** Negative where `a` is before `b`. */
export function compareCursors(a: EventCursor, b: EventCursor): number {
  if (a.height !== b.height) return a.height - b.height
  if (a.index !== b.index) return a.index < b.index ? -1 : 1
  return a.event === b.event ? 0 : a.event < b.event ? -1 : 1
}
