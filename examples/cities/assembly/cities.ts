/**
 * The cities of the world: a table that the nodes of a cluster hold in memory, with indexes by number, name, country
 * and place. No query looks at all cities, and no insertion moves more than a few, so every call costs little gas.
 */
import { HashIndex, noRow } from "@onus/assemblyscript/collections/hashIndex";
import { Best, mostResults } from "./best";
import { City } from "./city";
import { addRow, cityAt, cityCount, idAt, packCountry, populationAt, setPopulationAt } from "./cityTable";
import { addPlace, searchNearest } from "./grid";
import { hasName, nameHash, textHash } from "./names";
import { addAgain, addPopulation, removePopulation, searchLargest } from "./populationIndex";

const byNumber = new HashIndex();
const byText = new HashIndex();

/** A multiplicative hash spreads the numbers of GeoNames, which come in runs. */
function hashNumber(id: u32): u32 {
  const mixed = id * 0x9e3779b1;
  return mixed ^ (mixed >> 15);
}

function rowOf(id: u32): u32 {
  let row = byNumber.first(hashNumber(id));
  while (row != noRow && idAt(row) != id) row = byNumber.next(row);
  return row;
}

function checkLimit(limit: u32): Best {
  if (limit > mostResults) throw new Error("limit is at most 100, got " + limit.toString());
  return new Best(limit);
}

/** Adds cities and returns how many there are now. All or none: a number that is there already refuses the call. */
export function addCities(cities: City[]): u32 {
  for (let i = 0; i < cities.length; i++) {
    const city = cities[i];
    if (rowOf(city.id) != noRow) throw new Error("city " + city.id.toString() + " is there already");
    const row = addRow(city);
    byNumber.add(hashNumber(city.id));
    byText.add(nameHash(row));
    addPopulation(row);
    addPlace(row, city.latitude, city.longitude);
  }
  return cityCount();
}

/** Changes the population of one city and returns the old one. */
export function setPopulation(id: u32, population: u32): u32 {
  const row = rowOf(id);
  if (row == noRow) throw new Error("no city " + id.toString());
  const old = populationAt(row);
  removePopulation(row);
  setPopulationAt(row, population);
  addAgain(row);
  return old;
}

/**
 * How many cities there are.
 * @query
 */
export function count(): u32 {
  return cityCount();
}

/**
 * The city with a GeoNames number, if it is there.
 * @query
 */
export function byId(id: u32): City | null {
  const row = rowOf(id);
  return row == noRow ? null : cityAt(row);
}

/**
 * Cities with exactly this name, the largest first; at most 100.
 * @query
 */
export function byName(name: string, limit: u32): City[] {
  const best = checkLimit(limit);
  const bytes = Uint8Array.wrap(String.UTF8.encode(name));
  for (let row = byText.first(textHash(bytes)); row != noRow; row = byText.next(row)) {
    if (hasName(row, bytes)) best.add(row, -(<f64>populationAt(row)));
  }
  return best.take();
}

/**
 * The largest cities of a country (two capital letters); at most 100.
 * @query
 */
export function largest(country: string, limit: u32): City[] {
  const best = checkLimit(limit);
  if (limit > 0) searchLargest(packCountry(country), best);
  return best.take();
}

/**
 * The cities nearest to a point over the ground, the nearest first; at most 100. Degrees north and east.
 * @query
 */
export function nearest(latitude: f64, longitude: f64, limit: u32): City[] {
  const best = checkLimit(limit);
  if (!(abs(latitude) <= 90) || !(abs(longitude) <= 180)) {
    throw new Error("latitude is -90 to 90 and longitude -180 to 180");
  }
  if (limit > 0) searchNearest(latitude, longitude, best);
  return best.take();
}
