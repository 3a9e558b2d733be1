// Types in another file than the entries: imports, inheritance, aliases, recursion, variants.

import { Address, i256, Result, u128, u256 } from "@onus/assemblyscript";

export enum Status { Open, Done, Late }

export type Amount = u64;
export type Tags = string[];

export class Named {
  name: string = "";
}

export class Task extends Named {
  readonly id: u32 = 0;
  readonly owner: string | null = null;
  status: Status = Status.Open;
  amount: Amount = 0;
  tags: Tags = [];
  history: Status[] = [];
}

export class Tree {
  value: i32 = 0;
  children: Tree[] = [];
}

/** @variant */
export abstract class Shape {}
export class Circle extends Shape { radius: f64 = 0; }
export class Rectangle extends Shape { width: f64 = 0; height: f64 = 0; }
export class Nothing extends Shape {}

/**
 * What somebody may do.
 * @flags
 */
export enum Rights {
  Read = 1,
  Write = 2,
  Share = 4,
  Move = 1 << 3,
  Rename = 1 << 4,
  Copy = 1 << 5,
  Link = 1 << 6,
  Audit = 128,
  Own = 1 << 8,
}

/** Integers wider than 64 bits. */
export class Wide {
  /** Never negative. */
  readonly low: u128 = u128.zero;
  signed: i256 = i256.zero;
  owner: Address | null = null;
  rights: Rights = Rights.Read;
}

export type Outcome = Result<Wide, Status>;

/**
 * Money came in.
 * @event
 */
export class Deposit {
  constructor(public from: Address, public amount: u256) {}
}

/** @event */
export class Moved extends Named {
  from: i32 = 0;
  path: i32[] = [];
  shape: Shape = new Nothing();
}
