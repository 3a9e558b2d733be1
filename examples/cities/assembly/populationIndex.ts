/**
 * Cities by country and size: for each country a list for every quarter of a doubling of the population, so that the
 * largest are found from the top without sorting a country, and a changed population moves one city.
 */
import { PagedArray } from "@onus/assemblyscript/collections/pagedArray";
import { Best } from "./best";
import { countryAt, populationAt } from "./cityTable";

/** 32 doublings in quarters. */
const classCount: i32 = 128;

/** Number of each country in `heads`, from 1, by its two letters; 0 if it has no city. */
const countryNumbers = new StaticArray<u16>(26 * 26);
let countryCount: u16 = 0;

/** First city of each country and class as row + 1, 0 if there is none. */
const heads = new PagedArray<u32>();
/** Neighbours in the list, likewise. */
const nexts = new PagedArray<u32>();
const previouses = new PagedArray<u32>();

function letters(country: u16): i32 {
  return ((country >> 8) - 65) * 26 + ((country & 0xff) - 65);
}

/** Quarter of a doubling: the position of the highest bit and the two bits below. */
function classOf(population: u32): i32 {
  if (population < 4) return population;
  const shift = 29 - clz<i32>(population);
  return (shift << 2) + <i32>((population >> shift) & 3) + 4;
}

function headOf(country: u16, sizeClass: i32): u32 {
  return (<u32>countryNumbers[letters(country)] - 1) * classCount + sizeClass;
}

function link(row: u32): void {
  const head = headOf(countryAt(row), classOf(populationAt(row)));
  const next = heads.get(head);
  nexts.set(row, next);
  previouses.set(row, 0);
  if (next != 0) previouses.set(next - 1, row + 1);
  heads.set(head, row + 1);
}

/** Adds city `row`; rows are added in order. */
export function addPopulation(row: u32): void {
  const place = letters(countryAt(row));
  if (countryNumbers[place] == 0) {
    countryNumbers[place] = ++countryCount;
    for (let i = 0; i < classCount; i++) heads.push(0);
  }
  nexts.push(0);
  previouses.push(0);
  link(row);
}

/** Takes city `row` out before its population changes; `addAgain` puts it back. */
export function removePopulation(row: u32): void {
  const next = nexts.get(row);
  const previous = previouses.get(row);
  if (next != 0) previouses.set(next - 1, previous);
  if (previous != 0) nexts.set(previous - 1, next);
  else heads.set(headOf(countryAt(row), classOf(populationAt(row))), next);
}

export function addAgain(row: u32): void {
  link(row);
}

/** The largest cities of a country, at most as many as `best` keeps. */
export function searchLargest(country: u16, best: Best): void {
  if (country == 0 || countryNumbers[letters(country)] == 0) return;
  for (let sizeClass = classCount - 1; sizeClass >= 0 && !best.full; sizeClass--) {
    for (let next = heads.get(headOf(country, sizeClass)); next != 0; next = nexts.get(next - 1)) {
      best.add(next - 1, -(<f64>populationAt(next - 1)));
    }
  }
}
