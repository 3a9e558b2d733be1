/**
 * Places in the stream of events (`spec/gateway.md` 5). A cursor says what was seen: `HEIGHT.INDEX.EVENT` everything up
 * to that event of that transaction, `HEIGHT` everything up to the end of that block.
 */
import { OnusError } from '@onus/protocol/errors'

export interface EventCursor {
  readonly height: number
  /** Transaction in the block; infinite at the end of the block. */
  readonly index: number
  readonly event: number
}

const behindAll = Number.POSITIVE_INFINITY

export function endOfBlock(height: number): EventCursor {
  return { height, index: behindAll, event: behindAll }
}

export function isEndOfBlock({ index }: EventCursor): boolean {
  return index === behindAll
}

export function cursorText({ height, index, event }: EventCursor): string {
  return index === behindAll ? String(height) : `${height}.${index}.${event}`
}

const form = /^(0|[1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,9}))?$/

/** Rejects `cursor-form`. */
export function parseCursor(text: string, path: string): EventCursor {
  const [, height, index, event] = form.exec(text) ?? []
  const number = Number(height)
  if (height === undefined || !Number.isSafeInteger(number))
    throw new OnusError(
      'cursor-form',
      `expected HEIGHT or HEIGHT.INDEX.EVENT, got ${JSON.stringify(text.slice(0, 60))}`,
      {
        path,
        remedy: 'take the id of the last item, or leave it out to begin now',
      },
    )
  if (index === undefined || event === undefined) return endOfBlock(number)
  return { height: number, index: Number(index), event: Number(event) }
}

/** Whether an event at this place was seen under `cursor`. */
export function isSeen(cursor: EventCursor, height: number, index: number, event: number): boolean {
  if (height !== cursor.height) return height < cursor.height
  return index !== cursor.index ? index < cursor.index : event <= cursor.event
}
