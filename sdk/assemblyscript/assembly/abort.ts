/**
 * Where every `throw` and failed check ends (`spec/interface.md` 5.3): the message is the output, then a trap, and the
 * node undoes the call. Uses no managed memory, so that it also works when there is none left.
 */
import { outputWrite } from "./host";

const capacity: i32 = 1024;
const buffer = memory.data(1024);

/** First line the message, second line `    at file:line:column`. Installed with `--use abort=`. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  let length = 0;
  if (message != null) length = append(message, length);
  if (file != null) {
    length = append("\n    at ", length);
    length = append(file, length);
    length = append(":", length);
    length = appendInteger(line, length);
    length = append(":", length);
    length = appendInteger(column, length);
  }
  outputWrite(buffer, length);
  unreachable();
}

/** A refusal with a stable code, such as `decode-utf8`. Never returns. */
export function refuse(code: string): void {
  abort(code, null, 0, 0);
}

/** Appends UTF-8; a lone surrogate becomes U+FFFD; what does not fit is cut. */
function append(text: string, at: i32): i32 {
  for (let i = 0; i < text.length && at + 4 <= capacity; i++) {
    let point = text.charCodeAt(i);
    if ((point & 0xf800) == 0xd800) {
      const second = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (point < 0xdc00 && (second & 0xfc00) == 0xdc00) {
        point = (((point & 0x3ff) << 10) | (second & 0x3ff)) + 0x10000;
        i++;
      } else point = 0xfffd;
    }
    at = appendCodePoint(point, at);
  }
  return at;
}

function appendCodePoint(point: i32, at: i32): i32 {
  const target = buffer + <usize>at;
  if (point < 0x80) {
    store<u8>(target, point);
    return at + 1;
  }
  if (point < 0x800) {
    store<u8>(target, 0xc0 | (point >> 6));
    store<u8>(target, 0x80 | (point & 63), 1);
    return at + 2;
  }
  if (point < 0x10000) {
    store<u8>(target, 0xe0 | (point >> 12));
    store<u8>(target, 0x80 | ((point >> 6) & 63), 1);
    store<u8>(target, 0x80 | (point & 63), 2);
    return at + 3;
  }
  store<u8>(target, 0xf0 | (point >> 18));
  store<u8>(target, 0x80 | ((point >> 12) & 63), 1);
  store<u8>(target, 0x80 | ((point >> 6) & 63), 2);
  store<u8>(target, 0x80 | (point & 63), 3);
  return at + 4;
}

function appendInteger(value: u32, at: i32): i32 {
  let divisor: u32 = 1;
  while (value / divisor >= 10) divisor *= 10;
  for (; divisor > 0 && at < capacity; divisor /= 10) {
    store<u8>(buffer + <usize>at, 48 + ((value / divisor) % 10));
    at++;
  }
  return at;
}
