/**
 * Cities by place: a grid of half degrees, 360 x 720 cells with a list of rows each. A search looks at the cells
 * around a point in growing boxes until as many cities as wanted are nearer than the box is wide.
 */
import { PagedArray } from "@onus/assemblyscript/collections/pagedArray";
import { Best } from "./best";
import { chordSquared, cityCount, Place } from "./cityTable";

const rowCount: i32 = 360;
const columnCount: i32 = 720;
const cellsPerDegree: f64 = 2;
const degree: f64 = Math.PI / 180;

/** First city of each cell as row + 1, 0 if it is empty. */
const heads = new PagedArray<u32>();
heads.extend(rowCount * columnCount);
/** Next city of the same cell, likewise. */
const nexts = new PagedArray<u32>();
/** Cities of each grid row: the rows of an ocean or a pole are passed over. */
const rowCities = new StaticArray<u32>(rowCount);

function gridRow(latitude: f64): i32 {
  return min(<i32>((latitude + 90) * cellsPerDegree), rowCount - 1);
}

function gridColumn(longitude: f64): i32 {
  return min(<i32>((longitude + 180) * cellsPerDegree), columnCount - 1);
}

/** Adds city `row`; rows are added in order. */
export function addPlace(row: u32, latitude: f64, longitude: f64): void {
  const gridded = gridRow(latitude);
  const cell = gridded * columnCount + gridColumn(longitude);
  rowCities[gridded]++;
  nexts.push(heads.get(cell));
  heads.set(cell, row + 1);
}

/** A point and the box of cells around it that has been searched. */
class Search {
  place: Place;
  centre: i32;
  /** Grid rows searched: from, to (without). */
  from: i32 = 0;
  to: i32 = 0;
  /** Columns searched to both sides of the point's own, in those rows; -1 before the first box. */
  reach: i32 = -1;

  constructor(public latitude: f64, longitude: f64, public best: Best) {
    this.place = new Place(latitude, longitude);
    this.centre = gridColumn(longitude);
  }

  private cell(start: i32, column: i32): void {
    const wrapped = column < 0 ? column + columnCount : column >= columnCount ? column - columnCount : column;
    let next = heads.get(start + wrapped);
    while (next != 0) {
      this.best.add(next - 1, chordSquared(next - 1, this.place));
      next = nexts.get(next - 1);
    }
  }

  /** Searches the cells that come in with a cap of `radius` degrees. */
  widen(radius: f64): void {
    const from = gridRow(max(this.latitude - radius, -90));
    const to = gridRow(min(this.latitude + radius, 90)) + 1;
    const reach = columnReach(this.latitude, radius);
    for (let row = from; row < to; row++) {
      if (rowCities[row] == 0) continue;
      const start = row * columnCount;
      const known = row >= this.from && row < this.to ? this.reach : -1;
      for (let offset = known + 1; offset <= reach; offset++) {
        this.cell(start, this.centre + offset);
        // The own column and, on a full circle, the opposite one are there once.
        if (offset != 0 && 2 * offset != columnCount) this.cell(start, this.centre - offset);
      }
    }
    this.from = from;
    this.to = to;
    this.reach = reach;
  }
}

/** Columns to each side that a cap of `radius` degrees around `latitude` can touch. */
function columnReach(latitude: f64, radius: f64): i32 {
  if (abs(latitude) + radius >= 90) return columnCount / 2;
  const width = Math.asin(min(Math.sin(radius * degree) / Math.cos(latitude * degree), 1)) / degree;
  return min(<i32>(width * cellsPerDegree) + 1, columnCount / 2);
}

/** The nearest cities to a point, at most as many as `best` keeps. */
export function searchNearest(latitude: f64, longitude: f64, best: Best): void {
  if (cityCount() == 0) return;
  const search = new Search(latitude, longitude, best);
  let radius: f64 = 0.25;
  for (;;) {
    search.widen(radius);
    if (radius >= 180) return;
    const chord = 2 * Math.sin((radius * degree) / 2);
    // All cities within the cap have been seen; rounding is far below the margin.
    if (best.full && best.worst <= chord * chord * 0.999999) return;
    radius = min(radius * 1.3 + 0.1, 180);
  }
}
