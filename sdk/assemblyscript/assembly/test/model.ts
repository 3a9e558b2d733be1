// Types in another file than the entries: imports, inheritance, aliases, recursion, variants.

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
