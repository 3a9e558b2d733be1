/** The interface of the backend that the fake cluster runs. */
export const notes = {
  version: 1,
  types: {
    Note: {
      record: [
        ['id', 'u32'],
        ['text', 'string'],
      ],
    },
  },
  entries: [
    { name: 'add', kind: 'entry', params: [['text', 'string']], result: 'u32' },
    { name: 'fail', kind: 'entry', params: [], result: null },
    {
      name: 'list',
      kind: 'query',
      params: [
        ['from', 'u32'],
        ['max', 'u32'],
      ],
      result: { list: 'Note' },
    },
    { name: 'boom', kind: 'query', params: [], result: null },
  ],
  events: [
    {
      name: 'added',
      fields: [
        ['id', 'u32'],
        ['text', 'string'],
      ],
    },
    { name: 'cleared', fields: [] },
  ],
} as const
