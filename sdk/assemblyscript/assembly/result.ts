/**
 * A value or an error that is part of the interface, in contrast to `throw`, which undoes the call:
 * `return ok<u32, string>(5)`, `return err<u32, string>("closed")`.
 */

// @ts-ignore: decorator
@final
export class Result<T, E> {
  /** Use `ok` and `err`; the one that is not there is null or 0. */
  constructor(readonly isOk: bool, private content: T, private problem: E) {}

  get isErr(): bool { return !this.isOk; }

  /** Traps on an error. */
  get value(): T {
    if (!this.isOk) throw new Error("the result is an error");
    return this.content;
  }

  /** Traps on a value. */
  get error(): E {
    if (this.isOk) throw new Error("the result is no error");
    return this.problem;
  }
}

/** What stands in the place that is not used. */
export function absent<T>(): T {
  if (isReference<T>()) return changetype<T>(<usize>0);
  return <T>0;
}

export function ok<T, E>(value: T): Result<T, E> {
  return new Result<T, E>(true, value, absent<E>());
}

export function err<T, E>(error: E): Result<T, E> {
  return new Result<T, E>(false, absent<T>(), error);
}
