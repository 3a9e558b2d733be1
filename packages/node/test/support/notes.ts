/** The interface of a backend of notes, and the request bytes of one call. */
import { encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'

export const description = {
  version: 1,
  types: {
    Note: {
      record: [
        ['text', 'string'],
        ['rating', 'u8'],
      ],
    },
  },
  entries: [
    {
      name: 'add',
      kind: 'entry',
      params: [
        ['note', 'Note'],
        ['others', { list: 'Note' }],
      ],
      result: 'u32',
    },
    { name: 'count', kind: 'query', params: [], result: 'u32' },
  ],
} as const satisfies Interface

const note = { text: 'hello', rating: 5 }
export const argument: Uint8Array = new Uint8Array(encodeCall(description, 'add', [note, [note, note]]))
