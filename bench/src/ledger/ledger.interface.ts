// Generated from the backend's source; do not edit.
export const ledger = {
  version: 1,
  types: {},
  entries: [
    {
      name: 'transfer',
      kind: 'entry',
      doc: 'Moves an amount from one account to another and returns what the first one has left.',
      params: [
        ['from', 'u32'],
        ['to', 'u32'],
        ['amount', 'u64'],
      ],
      result: 'u64',
    },
    { name: 'balance', kind: 'query', doc: 'The balance of an account.', params: [['account', 'u32']], result: 'u64' },
    {
      name: 'total',
      kind: 'query',
      doc: 'The sum of all balances, which no transfer changes.',
      params: [],
      result: 'u64',
    },
  ],
} as const
