import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { before, describe, test } from 'node:test'
import { buildCities, descriptionFile } from '@onus/example-cities/build'
import { cities as description } from '@onus/example-cities/cities.interface'
import { type City, cityBatches, loadCities } from '@onus/example-cities/dataset'
import { type CitiesHost, startCities } from './host.js'

let wasm: Uint8Array<ArrayBuffer>
let generated: string
let all: readonly City[]
let host: CitiesHost

const numberOfCities = 135_233

before(async () => {
  const built = await buildCities()
  wasm = built.wasm
  generated = built.description
  all = loadCities()
  host = startCities(wasm, description)
})

/** Largest first, equal ones by number. */
const bySize = (a: City, b: City): number => b.population - a.population || a.id - b.id

/** Every `step`-th city: a sample spread over all countries. */
const sample = (step: number): City[] => all.filter((_, index) => index % step === 0)

/** Kilometres over the ground, by the haversine formula: another way than the backend's. */
function kilometres(latitude: number, longitude: number, city: City): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const half = (from: number, to: number): number => Math.sin(radians(to - from) / 2) ** 2
  const h =
    half(latitude, city.latitude) +
    Math.cos(radians(latitude)) * Math.cos(radians(city.latitude)) * half(longitude, city.longitude)
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(h)))
}

test('the committed description is that of the source', async () => {
  assert.equal(await readFile(descriptionFile, 'utf8'), generated)
})

describe('an empty table', () => {
  test('answers all queries', () => {
    const empty = startCities(wasm, description)
    assert.equal(empty.call('count'), 0)
    assert.equal(empty.call('byId', 1), null)
    assert.deepEqual(empty.call('byName', 'Prague', 10), [])
    assert.deepEqual(empty.call('largest', 'CZ', 10), [])
    assert.deepEqual(empty.call('nearest', 50, 14, 10), [])
  })
})

describe('all cities of the data set', () => {
  test('are added in batches of 100', () => {
    assert.equal(all.length, numberOfCities)
    const times: number[] = []
    let count = 0
    for (const batch of cityBatches(all, 100)) {
      const start = performance.now()
      count = host.call('addCities', batch)
      times.push(performance.now() - start)
    }
    assert.equal(count, numberOfCities)
    assert.equal(host.call('count'), numberOfCities)
    times.sort((a, b) => a - b)
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length
    const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
    console.log(
      `batch of 100 cities: mean ${mean.toFixed(2)} ms, median ${times[times.length >> 1]?.toFixed(2)} ms, worst ${times.at(-1)?.toFixed(2)} ms (encoding included)`,
    )
    console.log(`memory ${mebibytes(host.memoryBytes())} MiB, pages in use ${mebibytes(host.usedBytes())} MiB`)
    assert.ok(host.memoryBytes() <= 32 * 2 ** 20)
  })

  test('byId gives every field back', () => {
    for (const city of sample(997)) assert.deepEqual(host.call('byId', city.id), city)
    assert.equal(host.call('byId', 1), null)
  })

  test('byName finds the same cities as a scan', () => {
    const names = [
      'Springfield',
      'San Antonio',
      'Santa Cruz',
      'Prague',
      'Žatec',
      'nowhere',
      ...sample(4_999).map(({ name }) => name),
    ]
    for (const name of names) {
      const expected = all.filter((city) => city.name === name).sort(bySize)
      assert.deepEqual(host.call('byName', name, 100), expected.slice(0, 100), name)
      assert.deepEqual(host.call('byName', name, 3), expected.slice(0, 3), name)
    }
  })

  test('largest finds the same cities as sorting a country', () => {
    const countries = [...new Set(all.map(({ country }) => country))]
    assert.equal(countries.length, 246)
    for (const country of countries) {
      const expected = all.filter((city) => city.country === country).sort(bySize)
      for (const limit of [0, 1, 7, 100])
        assert.deepEqual(host.call('largest', country, limit), expected.slice(0, limit), country)
    }
    for (const country of ['', 'X', 'cz', 'XX', 'CZE', '🐎']) assert.deepEqual(host.call('largest', country, 5), [])
  })

  test('nearest finds the same cities as a scan, in cities, oceans, at the poles and the date line', () => {
    const places: [number, number][] = [
      [50.08, 14.42],
      [0, 0],
      [90, 0],
      [-90, 77],
      [89.9, -135],
      [-60, -120],
      [-48.9, -123.4],
      [16.5, 180],
      [-17, -180],
      [-17.2, 179.99],
      [51.5, -0.1],
      [71, 25],
      [64.2, -149.5],
      [-77, 166],
      [1.3, 103.8],
      [40, -40],
      [35.5, 139.5],
    ]
    for (const { latitude, longitude } of sample(9_001)) places.push([latitude, longitude])
    for (const [latitude, longitude] of places) {
      const expected = Float64Array.from(all, (city) => kilometres(latitude, longitude, city)).sort()
      for (const limit of [1, 10, 100]) {
        const found = host.call('nearest', latitude, longitude, limit)
        assert.equal(found.length, limit)
        assert.equal(new Set(found.map(({ id }) => id)).size, limit)
        // Distances are compared and not numbers: equally far cities may come in either order by rounding.
        found.forEach((city, index) => {
          const difference = Math.abs(kilometres(latitude, longitude, city) - (expected[index] ?? 0))
          assert.ok(difference < 0.001, `${latitude} ${longitude} ${limit}: ${city.name} is ${difference} km off`)
        })
      }
    }
  })

  test('setPopulation changes one city and its rank', () => {
    const [first, second, third] = host.call('largest', 'CZ', 3)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    assert.equal(host.call('setPopulation', third.id, first.population + 1), third.population)
    assert.deepEqual(
      host.call('largest', 'CZ', 3).map(({ id }) => id),
      [third.id, first.id, second.id],
    )
    assert.equal(host.call('byId', third.id)?.population, first.population + 1)
    assert.equal(host.call('setPopulation', third.id, 0), first.population + 1)
    assert.ok(!host.call('largest', 'CZ', 100).some(({ id }) => id === third.id))
    assert.equal(host.call('setPopulation', third.id, third.population), 0)
    assert.deepEqual(host.call('largest', 'CZ', 3), [first, second, third])
  })

  test('twenty thousand changed populations keep the lists whole', () => {
    const changed = new Map(all.filter(({ country }) => country === 'CZ').map((city) => [city.id, city]))
    const ids = [...changed.keys()]
    let random = 1
    for (let i = 0; i < 20_000; i++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
      const id = ids[random % ids.length] ?? 0
      const population = random >>> (random & 31)
      host.call('setPopulation', id, population)
      changed.set(id, { ...(changed.get(id) as City), population })
    }
    assert.deepEqual(host.call('largest', 'CZ', 100), [...changed.values()].sort(bySize).slice(0, 100))
    for (const city of all) if (city.country === 'CZ') host.call('setPopulation', city.id, city.population)
  })

  // What a query allocates is undone by a node (not by this host) and is never collected.
  test('memory does not grow with calls that only change', () => {
    const before = host.memoryBytes()
    for (let i = 0; i < 20_000; i++) {
      const city = all[(i * 7) % all.length] as City
      host.call('setPopulation', city.id, city.population)
    }
    assert.ok(host.memoryBytes() <= before + 2 ** 20)
  })
})

describe('refusals', () => {
  const prague: City = { id: 1, name: 'Praha', country: 'CZ', population: 1, latitude: 50, longitude: 14 }
  const refusal = (city: Partial<City>): string => {
    try {
      startCities(wasm, description).call('addCities', [{ ...prague, ...city }])
    } catch (error) {
      return (error as Error).message
    }
    return 'accepted'
  }

  test('a city with impossible values is refused with the reason', () => {
    assert.equal(refusal({}), 'accepted')
    assert.match(
      refusal({ latitude: 90.1 }),
      /^city 1: latitude is -90 to 90 and longitude -180 to 180\n {4}at assembly\/cityTable\.ts/,
    )
    assert.match(refusal({ longitude: Number.POSITIVE_INFINITY }), /latitude is -90 to 90/)
    assert.match(refusal({ country: 'cz' }), /country is two capital letters, got cz/)
    assert.match(refusal({ name: '' }), /name is 1 to 200 bytes/)
    assert.match(refusal({ name: 'a'.repeat(201) }), /name is 1 to 200 bytes/)
    assert.equal(refusal({ name: 'é'.repeat(100) }), 'accepted')
  })

  test('a number that is there, an unknown number, too large a limit', () => {
    const other = startCities(wasm, description)
    other.call('addCities', [prague])
    assert.throws(() => other.call('addCities', [prague]), /city 1 is there already/)
    assert.throws(() => other.call('setPopulation', 2, 1), /no city 2/)
    assert.throws(() => other.call('largest', 'CZ', 101), /limit is at most 100, got 101/)
    assert.throws(() => other.call('nearest', 91, 0, 1), /latitude is -90 to 90/)
  })
})
