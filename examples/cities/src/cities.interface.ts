// Generated from the backend's source; do not edit.
export const cities = {
  version: 1,
  types: {
    City: {
      record: [
        ['id', 'u32'],
        ['name', 'string'],
        ['country', 'string'],
        ['population', 'u32'],
        ['latitude', 'f64'],
        ['longitude', 'f64'],
      ],
    },
  },
  entries: [
    {
      name: 'addCities',
      kind: 'entry',
      doc: 'Adds cities and returns how many there are now. All or none: a number that is there already refuses the call.',
      params: [['cities', { list: 'City' }]],
      result: 'u32',
    },
    {
      name: 'setPopulation',
      kind: 'entry',
      doc: 'Changes the population of one city and returns the old one.',
      params: [
        ['id', 'u32'],
        ['population', 'u32'],
      ],
      result: 'u32',
    },
    { name: 'count', kind: 'query', doc: 'How many cities there are.', params: [], result: 'u32' },
    {
      name: 'byId',
      kind: 'query',
      doc: 'The city with a GeoNames number, if it is there.',
      params: [['id', 'u32']],
      result: { option: 'City' },
    },
    {
      name: 'byName',
      kind: 'query',
      doc: 'Cities with exactly this name, the largest first; at most 100.',
      params: [
        ['name', 'string'],
        ['limit', 'u32'],
      ],
      result: { list: 'City' },
    },
    {
      name: 'largest',
      kind: 'query',
      doc: 'The largest cities of a country (two capital letters); at most 100.',
      params: [
        ['country', 'string'],
        ['limit', 'u32'],
      ],
      result: { list: 'City' },
    },
    {
      name: 'nearest',
      kind: 'query',
      doc: 'The cities nearest to a point over the ground, the nearest first; at most 100. Degrees north and east.',
      params: [
        ['latitude', 'f64'],
        ['longitude', 'f64'],
        ['limit', 'u32'],
      ],
      result: { list: 'City' },
    },
  ],
  docs: {
    City: 'A city as callers see it.',
    'City.id': 'GeoNames number, unique.',
    'City.country': 'ISO 3166 code, two capital letters.',
    'City.population': '0 if unknown.',
    'City.latitude': 'Degrees north, -90 to 90.',
    'City.longitude': 'Degrees east, -180 to 180.',
  },
} as const
