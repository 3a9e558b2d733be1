/** A city as callers see it. */
export class City {
  constructor(
    /** GeoNames number, unique. */
    public id: u32,
    public name: string,
    /** ISO 3166 code, two capital letters. */
    public country: string,
    /** 0 if unknown. */
    public population: u32,
    /** Degrees north, -90 to 90. */
    public latitude: f64,
    /** Degrees east, -180 to 180. */
    public longitude: f64,
  ) {}
}
