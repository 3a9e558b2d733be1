/**
 * All cities as columns of numbers, 50 bytes a city beside its name: no object, no string and no garbage collector work
 * per city. Rows are never removed.
 */
import { PagedArray } from "@onus/assemblyscript/collections/pagedArray";
import { City } from "./city";
import { addName, nameText } from "./names";

const ids = new PagedArray<u32>();
const countries = new PagedArray<u16>();
const populations = new PagedArray<u32>();
const latitudes = new PagedArray<f64>();
const longitudes = new PagedArray<f64>();
/** Places on the unit sphere, so that a distance is three multiplications and no trigonometry. */
const xs = new PagedArray<f64>();
const ys = new PagedArray<f64>();
const zs = new PagedArray<f64>();

const degree: f64 = Math.PI / 180;

export function cityCount(): u32 {
  return ids.length;
}

/** Adds a row and returns its number. Throws on values no city has. */
export function addRow(city: City): u32 {
  const country = packCountry(city.country);
  if (country == 0) throw new Error("city " + city.id.toString() + ": country is two capital letters, got " + city.country);
  if (!(abs(city.latitude) <= 90) || !(abs(city.longitude) <= 180)) {
    throw new Error("city " + city.id.toString() + ": latitude is -90 to 90 and longitude -180 to 180");
  }
  if (!addName(city.name)) throw new Error("city " + city.id.toString() + ": name is 1 to 200 bytes");
  countries.push(country);
  populations.push(city.population);
  latitudes.push(city.latitude);
  longitudes.push(city.longitude);
  const place = new Place(city.latitude, city.longitude);
  xs.push(place.x);
  ys.push(place.y);
  zs.push(place.z);
  return ids.push(city.id);
}

export function cityAt(row: u32): City {
  return new City(idAt(row), nameText(row), unpackCountry(countryAt(row)), populationAt(row), latitudes.get(row), longitudes.get(row));
}

export function idAt(row: u32): u32 {
  return ids.get(row);
}

export function countryAt(row: u32): u16 {
  return countries.get(row);
}

export function populationAt(row: u32): u32 {
  return populations.get(row);
}

export function setPopulationAt(row: u32, population: u32): void {
  populations.set(row, population);
}

/** Two capital letters as a number, 0 for anything else. */
export function packCountry(text: string): u16 {
  if (text.length != 2) return 0;
  const first = text.charCodeAt(0);
  const second = text.charCodeAt(1);
  if (first < 65 || first > 90 || second < 65 || second > 90) return 0;
  return <u16>((first << 8) | second);
}

function unpackCountry(country: u16): string {
  return String.fromCharCode(country >> 8, country & 0xff);
}

/** A point on the unit sphere. */
export class Place {
  x: f64;
  y: f64;
  z: f64;

  constructor(latitude: f64, longitude: f64) {
    const radius = Math.cos(latitude * degree);
    this.x = radius * Math.cos(longitude * degree);
    this.y = radius * Math.sin(longitude * degree);
    this.z = Math.sin(latitude * degree);
  }
}

/** Square of the straight distance on the unit sphere, which grows with the distance over the ground. */
export function chordSquared(row: u32, place: Place): f64 {
  const dx = xs.get(row) - place.x;
  const dy = ys.get(row) - place.y;
  const dz = zs.get(row) - place.z;
  return dx * dx + dy * dy + dz * dz;
}
