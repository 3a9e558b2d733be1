import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect } from '@onus/client/connect'
import { type OpeningTypedData, openingTypedData, type WalletAccount } from '@onus/client/wallet'
import { concatBytes, fromHex, toHex, utf8Bytes, wordOfBytes, wordOfInteger } from '@onus/protocol/bytes'
import { nobleHasher } from '@onus/protocol/hash'
import { openingTypedDataDigest } from '@onus/protocol/openingTypedData'
import { addressOf, nobleCurve, publicKeyOf } from '@onus/protocol/signature'
import { testKey } from './fakeChain.js'
import { FakeCluster } from './fakeCluster.js'
import { notes } from './notes.js'

const { keccak256 } = nobleHasher

/** EIP-712 as a wallet does it: types and values from the object alone, nothing of the protocol's code. */
function walletDigest(data: OpeningTypedData): Uint8Array {
  const word = (type: string, value: unknown): Uint8Array => {
    if (type === 'bytes') return keccak256(fromHex(String(value)))
    if (type === 'string') return keccak256(utf8Bytes(String(value)))
    if (type === 'address' || type === 'bytes32') return wordOfBytes(fromHex(String(value)))
    return wordOfInteger(BigInt(value as number | bigint))
  }
  const struct = (name: string, fields: readonly { name: string; type: string }[], values: object): Uint8Array => {
    const type = `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`
    const record = values as Record<string, unknown>
    return keccak256(
      concatBytes(keccak256(utf8Bytes(type)), ...fields.map((field) => word(field.type, record[field.name]))),
    )
  }
  const domainFields = [
    { name: 'name', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' },
    { name: 'salt', type: 'bytes32' },
  ]
  const domain = struct('EIP712Domain', domainFields, data.domain)
  const message = struct(data.primaryType, data.types.OpenSession, data.message)
  return keccak256(concatBytes(Uint8Array.of(0x19, 0x01), domain, message))
}

function walletOf(key: Uint8Array, shown: OpeningTypedData[] = []): WalletAccount {
  return {
    address: `0x${toHex(addressOf(publicKeyOf(key)))}`,
    signTypedData: (data) => {
      shown.push(data)
      const signature = nobleCurve.sign(walletDigest(data), key)
      signature[64] = (signature[64] as number) + 27
      return Promise.resolve(`0x${toHex(signature)}`)
    },
  }
}

describe('a wallet', () => {
  test('is shown typed data of the digest that the cluster checks', () => {
    const domain = { clusterId: testKey(1), epoch: 7, ethereumChainId: 31337 }
    const opening = {
      type: 'opening',
      owner: addressOf(publicKeyOf(testKey(2))),
      key: addressOf(publicKeyOf(testKey(3))),
      session: { slot: 12, generation: 3 },
      closes: { height: 1000, time: 1_700_000_000_123 },
      expiry: { height: 900, time: 1_700_000_000_001 },
      admission: Uint8Array.of(1, 2, 3),
    } as const
    const expected = openingTypedDataDigest(nobleHasher, domain, opening)
    assert.deepEqual(walletDigest(openingTypedData(domain, opening)), expected)
  })

  test('is asked once; calls are then signed by a fresh key in its name', async () => {
    const fake = new FakeCluster({ members: 4 })
    const shown: OpeningTypedData[] = []
    const account = walletOf(testKey(5, 5), shown)
    const { genesisBytes: genesis } = fake.chain
    const cluster = await connect({ genesis, nodes: fake.urls(), interface: notes, fetch: fake.fetch, account })
    assert.equal(shown.length, 0)
    assert.deepEqual(await Promise.all([cluster.call.add('a'), cluster.call.add('b')]), [0, 1])
    assert.equal(await cluster.call.add('c'), 2)
    assert.equal(shown.length, 1)
    const session = fake.chain.sessions.get(0)
    assert.equal(`0x${toHex(session?.owner ?? new Uint8Array())}`, account.address)
    assert.notDeepEqual(session?.owner, session?.key)
    cluster.close()
  })

  test('that signs as another account, or not at all, is refused before anything is sent', async () => {
    const fake = new FakeCluster({ members: 4 })
    const own = walletOf(testKey(5, 5))
    const connectAs = (account: WalletAccount) =>
      connect({ genesis: fake.chain.genesisBytes, nodes: fake.urls(), interface: notes, fetch: fake.fetch, account })
    const other = await connectAs({ ...own, signTypedData: walletOf(testKey(6, 6)).signTypedData })
    await assert.rejects(other.call.add('a'), { code: 'wallet-signature' })
    const silent = await connectAs({ ...own, signTypedData: () => Promise.reject(new Error('user said no')) })
    await assert.rejects(silent.call.add('a'), /user said no/)
    await assert.rejects(connectAs({ ...own, address: '0x12' }), { code: 'account-address' })
    assert.equal(fake.posted().length, 0)
    other.close()
    silent.close()
  })
})
