/**
 * An Ethereum address: 20 bytes that never change. Equal addresses are one key of a Map or Set.
 */
import { hashLimbs } from "./wide/limbs";

/** Bytes of an address. */
export const addressLength: i32 = 20;

const hexDigits = "0123456789abcdef";

// @ts-ignore: decorator
@final
export class Address {
  /** The 20 bytes are these fields, one after the other in memory. */
  private a: u64 = 0;
  private b: u64 = 0;
  private c: u32 = 0;

  /** The address of nobody, 20 bytes of zero. */
  static get zero(): Address { return new Address(); }

  /** Traps unless there are 20 bytes. */
  static fromBytes(bytes: Uint8Array): Address {
    if (bytes.length != addressLength) throw new RangeError("an address has 20 bytes");
    const address = new Address();
    memory.copy(changetype<usize>(address), bytes.dataStart, addressLength);
    return address;
  }

  /** `0x` and 40 hexadecimal digits in any case. */
  static parse(text: string): Address {
    const address = new Address();
    let valid = text.length == 42 && text.startsWith("0x");
    for (let i = 0; valid && i < addressLength; i++) {
      const high = digitValue(text.charCodeAt(2 * i + 2));
      const low = digitValue(text.charCodeAt(2 * i + 3));
      valid = high >= 0 && low >= 0;
      store<u8>(changetype<usize>(address) + <usize>i, (high << 4) | low);
    }
    if (!valid) throw new RangeError("expected an address as 0x and 40 hexadecimal digits");
    return address;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(addressLength);
    memory.copy(bytes.dataStart, changetype<usize>(this), addressLength);
    return bytes;
  }

  /** `0x` and 40 lower-case hexadecimal digits. */
  toString(): string {
    let text = "0x";
    for (let i: usize = 0; i < <usize>addressLength; i++) {
      const byte = load<u8>(changetype<usize>(this) + i);
      text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15);
    }
    return text;
  }

  hashCode(): u32 {
    return hashLimbs(changetype<usize>(this), 2) ^ (this.c * 0x9e3779b1);
  }

  @operator("==") equals(other: Address): bool {
    return this.a == other.a && this.b == other.b && this.c == other.c;
  }
  @operator("!=") differs(other: Address): bool { return !this.equals(other); }
  /** The order of the bytes. */
  @operator("<") below(other: Address): bool {
    return memory.compare(changetype<usize>(this), changetype<usize>(other), addressLength) < 0;
  }
  @operator(">") above(other: Address): bool { return other.below(this); }
}

function digitValue(unit: i32): i32 {
  if (unit >= 48 && unit <= 57) return unit - 48;
  const letter = unit | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
