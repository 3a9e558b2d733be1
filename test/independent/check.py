"""Checks the samples of `npm start -- --once --out DIR` from the texts in spec/ alone.

Python 3 without packages and without any code of ours: its own Keccak, secp256k1, protobuf and trees. It shows that the
binary forms are what spec/ says. Usage: check.py DIR. Prints what it checked; exit code 1 at the first thing wrong.
"""
import hashlib
import json
import os
import sys

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def keccak256(data):
    rounds, rotations = [], {}
    lfsr = 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if lfsr & 1:
                constant ^= 1 << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
        rounds.append(constant)
    x, y = 1, 0
    for t in range(24):
        rotations[(x, y)] = ((t + 1) * (t + 2) // 2) % 64
        x, y = y, (2 * x + 3 * y) % 5
    rotations[(0, 0)] = 0
    mask = 2**64 - 1

    def rotate(value, by):
        return ((value << by) | (value >> (64 - by))) & mask if by else value

    state = [[0] * 5 for _ in range(5)]
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % 136)
    padded[-1] |= 0x80
    for at in range(0, len(padded), 136):
        for i in range(17):
            state[i % 5][i // 5] ^= int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
        for constant in rounds:
            c = [state[x][0] ^ state[x][1] ^ state[x][2] ^ state[x][3] ^ state[x][4] for x in range(5)]
            d = [c[(x - 1) % 5] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
            b = [[0] * 5 for _ in range(5)]
            for x in range(5):
                for y in range(5):
                    b[y][(2 * x + 3 * y) % 5] = rotate(state[x][y] ^ d[x], rotations[(x, y)])
            for x in range(5):
                for y in range(5):
                    state[x][y] = b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y] & mask)
            state[0][0] ^= constant
    return b"".join(state[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


def add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def point_of(key):
    x = int.from_bytes(key[1:], "big")
    y = pow((x**3 + 7) % P, (P + 1) // 4, P)
    assert key[0] in (2, 3) and y * y % P == (x**3 + 7) % P, "a key is no point"
    return x, y if y & 1 == key[0] & 1 else P - y


def verify(digest, signature, key):
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    assert 0 < r < N and 0 < s <= N // 2 and v in (0, 1), "the signature is not in its one form"
    w = pow(s, -1, N)
    z = int.from_bytes(digest, "big")
    point = add(multiply(z * w % N, G), multiply(r * w % N, point_of(key)))
    return point is not None and point[0] % N == r


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "truncated"
        self.at += n
        return self.data[self.at - n : self.at]

    def integer(self, n):
        return int.from_bytes(self.take(n), "big")

    def short(self):
        return self.take(self.integer(1))

    def finish(self):
        assert self.at == len(self.data), "trailing bytes"


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, content, always=False):
    return varint(number * 8 + 2) + varint(len(content)) + content if content or always else b""


def number_field(number, n):
    return varint(number * 8) + varint(n) if n else b""


def fixed_field(number, n):
    return varint(number * 8 + 1) + n.to_bytes(8, "little") if n else b""


def timestamp(nanoseconds):
    return number_field(1, nanoseconds // 10**9) + number_field(2, nanoseconds % 10**9)


def merkle(items):
    if not items:
        return sha256(b"")
    if len(items) == 1:
        return sha256(b"\0", items[0])
    split = 1
    while split * 2 < len(items):
        split *= 2
    return sha256(b"\1", merkle(items[:split]), merkle(items[split:]))


def read_members(reader):
    return [(reader.take(33), reader.integer(8)) for _ in range(reader.integer(1))]


def read_genesis(data):
    reader = Reader(data)
    assert reader.take(16) == b"onus/genesis/1\0\0"
    genesis = {"cluster": reader.take(32), "epoch": reader.integer(8)}
    for _ in range(3):
        reader.take(8)
    reader.take(64)
    reader.take(24)
    reader.take(32)
    genesis["node"], genesis["v8"] = reader.short(), reader.short()
    reader.take(13 * 8)
    reader.take(20)
    genesis["version"] = reader.integer(4)
    genesis["members"] = read_members(reader)
    reader.finish()
    digest = keccak256(data[:16] + bytes(32) + data[48:])
    assert genesis["cluster"] == bytes(5) + digest[5:], "the cluster id does not commit to the genesis"
    return genesis


def block_id(hash_, total, parts_hash):
    return field(1, hash_) + field(2, number_field(1, total) + field(2, parts_hash), True)


def powers_by_hash(members):
    """spec/consensus.md 4: all powers as in the genesis, or one member lowered as far as count and power agree."""
    leaf = lambda key, power: field(1, field(5, key), True) + number_field(2, power)
    full = [power for _, power in members]
    found = {merkle([leaf(key, power) for key, power in members]): full}
    n = len(members)
    if n >= 4 and len(set(full)) == 1:
        lowered = max(1, -(-full[0] * (3 * (2 * n // 3) - 2 * (n - 1)) // 2))
        if lowered < full[0]:
            for place in range(n):
                # Greater power first, so the lowered one comes last.
                order = [members[i] for i in range(n) if i != place] + [(members[place][0], lowered)]
                powers = [lowered if i == place else full[i] for i in range(n)]
                found[merkle([leaf(key, power) for key, power in order])] = powers
    return found


def check_certificate(data, genesis):
    reader = Reader(data)
    assert reader.take(16) == b"onus/certificate" and reader.integer(1) == 1
    version = number_field(1, reader.integer(8)) + number_field(2, reader.integer(8))
    chain = reader.short()
    assert chain == b"onus-%s-%d" % (genesis["cluster"][:10].hex().encode(), genesis["epoch"]), "another chain"
    height, time = reader.integer(8), reader.integer(8)
    if reader.integer(1):
        last = block_id(reader.take(32), reader.integer(4), reader.take(32))
    else:
        last = field(2, b"", True)
    hashes = [reader.short() for _ in range(8)]
    proposer = reader.take(20)
    members = genesis["members"]
    powers = powers_by_hash(members).get(hashes[2])
    assert powers is not None, "the block is of other members"
    leaves = [version, field(1, chain), number_field(1, height), timestamp(time), last]
    leaves += [field(1, h) for h in hashes] + [field(1, proposer)]
    header_hash = merkle(leaves)
    round_ = reader.integer(4)
    total, parts = reader.integer(4), reader.take(32)
    power, signers = 0, []
    for _ in range(reader.integer(1)):
        member, at, signature = reader.integer(1), reader.integer(8), reader.take(65)
        assert not signers or member > signers[-1], "signatures out of order"
        message = number_field(1, 2) + fixed_field(2, height) + fixed_field(3, round_)
        message += field(4, block_id(header_hash, total, parts)) + field(5, timestamp(at), True) + field(6, chain)
        digest = keccak256(varint(len(message)) + message)
        assert verify(digest, signature, members[member][0]), f"bad signature of member {member}"
        power += powers[member]
        signers.append(member)
    assert power * 3 > 2 * sum(powers) and len(signers) * 3 > 2 * len(members), "too few signatures"
    manifest = reader.take(1024)
    count = reader.integer(4)
    siblings = [reader.take(32) for _ in range(reader.integer(1))]
    reader.finish()
    node = sha256(b"\0", sha256(b"onus/seal/1\0", manifest))
    for sibling in siblings:
        node = sha256(b"\1", node, sibling)
    depth = max(0, (count - 1).bit_length())
    assert len(siblings) == depth and node == hashes[1], "the seal is not item 0 of the block"
    words = [manifest[i : i + 32] for i in range(0, 1024, 32)]
    assert words[0] == b"onus/manifest/1".ljust(32, b"\0") and words[1] == genesis["cluster"]
    integer = lambda i: int.from_bytes(words[i], "big")
    assert integer(8) == height and integer(9) == time and integer(2) == genesis["epoch"]
    assert words[26:] == [bytes(32)] * 6, "reserved words"
    return {"height": height, "count": integer(14), "receipts": words[15], "signers": len(signers)}


def tree_root(leaves, depth):
    empty = bytes(32)
    for _ in range(depth):
        if len(leaves) % 2:
            leaves = leaves + [empty]
        leaves = [sha256(leaves[i], leaves[i + 1]) for i in range(0, len(leaves), 2)] or []
        empty = sha256(empty, empty)
    return leaves[0] if leaves else empty


def check_receipt(data, block):
    reader = Reader(data)
    assert reader.take(16) == b"onus/receipt/1\0\0"
    assert reader.integer(8) == block["height"]
    index = reader.integer(2)
    assert index < block["count"]
    siblings = [reader.take(32) for _ in range(16)]
    identity, status, rejection, gas = reader.take(32), reader.integer(1), reader.integer(1), reader.integer(8)
    output = reader.take(reader.integer(4))
    reader.finish()
    word = lambda n: n.to_bytes(32, "big")
    padded = output + bytes(-len(output) % 32)
    output_root = tree_root([padded[i : i + 32] for i in range(0, len(padded), 32)], 15)
    leaf = b"onus/receipt/1".ljust(32, b"\0") + identity + word(status) + word(rejection) + word(gas)
    node = sha256(leaf, output_root, word(len(output)), bytes(32))
    for depth, sibling in enumerate(siblings):
        node = sha256(sibling, node) if index >> depth & 1 else sha256(node, sibling)
    assert node == block["receipts"], "the receipt is not in the block"
    return identity.hex()


def main(folder):
    read = lambda name: open(os.path.join(folder, name), "rb").read()
    assert keccak256(b"").hex().startswith("c5d2460186f7233c"), "own Keccak"
    genesis = read_genesis(read("genesis.bin"))
    members = Reader(read("members.bin"))
    assert members.take(16) == b"onus/members/1\0\0" and members.integer(4) == genesis["version"]
    assert read_members(members) == genesis["members"]
    members.finish()
    entries = json.loads(read("index.json"))
    certified = {}
    for entry in entries:
        data = read(entry["certificate"])
        if data not in certified:
            certified[data] = check_certificate(data, genesis)
        assert check_receipt(read(entry["receipt"]), certified[data]) == entry["transactionId"]
    print(f"{len(entries)} receipts under {len(certified)} certificates of {len(genesis['members'])} members: all right")


main(sys.argv[1])
