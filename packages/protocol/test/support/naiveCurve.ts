/**
 * secp256k1 by its school-book definition on big integers (SEC 1, 4.1.4 and 4.1.6), to check the library's answers.
 * Takes milliseconds and leaks everything: for tests only.
 */
const p = 2n ** 256n - 2n ** 32n - 977n
export const groupOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const generator: Point = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
}

interface Point {
  readonly x: bigint
  readonly y: bigint
}

function modulo(a: bigint, m: bigint): bigint {
  return ((a % m) + m) % m
}

function power(base: bigint, exponent: bigint, m: bigint): bigint {
  let result = 1n
  let square = modulo(base, m)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % m
    square = (square * square) % m
  }
  return result
}

/** null is the point at infinity. */
function add(a: Point | null, b: Point | null): Point | null {
  if (a === null) return b
  if (b === null) return a
  if (a.x === b.x && modulo(a.y + b.y, p) === 0n) return null
  const slope =
    a.x === b.x ? 3n * a.x * a.x * power(2n * a.y, p - 2n, p) : (b.y - a.y) * power(modulo(b.x - a.x, p), p - 2n, p)
  const x = modulo(slope * slope - a.x - b.x, p)
  return { x, y: modulo(slope * (a.x - x) - a.y, p) }
}

function multiply(scalar: bigint, point: Point | null): Point | null {
  let result: Point | null = null
  let doubled = point
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, doubled)
    doubled = add(doubled, doubled)
  }
  return result
}

function liftX(x: bigint, odd: boolean): Point | null {
  const square = modulo(x ** 3n + 7n, p)
  const y = power(square, (p + 1n) / 4n, p)
  if ((y * y) % p !== square) return null
  return { x, y: (y & 1n) === (odd ? 1n : 0n) ? y : p - y }
}

export function integerOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

export function bytesOf(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
}

function compressed(point: Point): Uint8Array {
  return Uint8Array.of(point.y & 1n ? 3 : 2, ...bytesOf(point.x))
}

export function naivePublicKey(privateKey: Uint8Array): Uint8Array {
  const point = multiply(integerOf(privateKey), generator)
  if (point === null) throw new Error('no private key')
  return compressed(point)
}

/** x and y, 64 bytes. */
export function naiveUncompressed(publicKey: Uint8Array): Uint8Array {
  const point = liftX(integerOf(publicKey.subarray(1)), publicKey[0] === 3)
  if (point === null) throw new Error('no point')
  return new Uint8Array([...bytesOf(point.x), ...bytesOf(point.y)])
}

/** Compressed public key by SEC 1, 4.1.6, for V in {0, 1}; null where there is none. Takes high S as well. */
export function naiveRecover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null {
  const r = integerOf(signature.subarray(0, 32))
  const s = integerOf(signature.subarray(32, 64))
  if (r === 0n || s === 0n || r >= groupOrder || s >= groupOrder) return null
  const point = liftX(r, signature[64] === 1)
  if (point === null) return null
  const inverse = power(r, groupOrder - 2n, groupOrder)
  const key = add(
    multiply(modulo(-integerOf(digest) * inverse, groupOrder), generator),
    multiply((s * inverse) % groupOrder, point),
  )
  return key === null ? null : compressed(key)
}

/** The other signature that plain ECDSA accepts for the same message: S mirrored, V flipped. */
export function mirrored(signature: Uint8Array): Uint8Array {
  const copy = signature.slice()
  copy.set(bytesOf(groupOrder - integerOf(signature.subarray(32, 64))), 32)
  copy[64] = (signature[64] as number) ^ 1
  return copy
}
