/** Reading of the wide integers (`spec/interface.md` 3.1); imported by generated code that needs it. */
import { readWide } from "../decode";
import { i128 } from "./i128";
import { i256 } from "./i256";
import { u128 } from "./u128";
import { u256 } from "./u256";

export function read_u128(): u128 { return readWide<u128>(new u128()); }
export function read_u256(): u256 { return readWide<u256>(new u256()); }
export function read_i128(): i128 { return readWide<i128>(new i128()); }
export function read_i256(): i256 { return readWide<i256>(new i256()); }
