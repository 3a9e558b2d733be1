/**
 * `console.log` and `log`: texts for the people who run a node. No result or state depends on them; a node keeps the
 * first 64 KiB of a call and drops the rest. They cost gas like output.
 */
import { logWrite } from "./host";

export function log(text: string): void {
  const size = 3 * <usize>text.length;
  const buffer = heap.alloc(size);
  const length = String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, buffer);
  logWrite(buffer, <i32>length);
  heap.free(buffer);
}

/** Takes the place of the compiler's `console` (`--use console=`). What is declared only is refused at build. */
export namespace console {
  export function log(text: string): void {
    logText(text);
  }

  // @ts-ignore: decorator
  @external("env", "console.assert")
  export declare function assert(condition: bool, text?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.debug")
  export declare function debug(text?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.info")
  export declare function info(text?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.warn")
  export declare function warn(text?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.error")
  export declare function error(text?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.time")
  export declare function time(label?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.timeLog")
  export declare function timeLog(label?: string): void;
  // @ts-ignore: decorator
  @external("env", "console.timeEnd")
  export declare function timeEnd(label?: string): void;
}

function logText(text: string): void {
  log(text);
}
