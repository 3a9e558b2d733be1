/** Every subset of signers of clusters of 4 to 8: accepted exactly when above two thirds by power and by count. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Certificate } from '../src/certificate.js'
import { nobleHasher } from '../src/hash.js'
import { memoizedCurve } from './support/memoizedCurve.js'
import { rejectionOf } from './support/rejection.js'
import { syntheticBlock, syntheticCertificate, syntheticCluster } from './support/syntheticCluster.js'

/** Powers of `size` members: equal, growing, one above a third, one that alone has two thirds. */
function distributions(size: number): number[][] {
  const equal = new Array<number>(size).fill(7)
  return [
    equal,
    equal.map((_, index) => index + 1),
    equal.map((_, index) => (index === 0 ? size : 2)),
    equal.map((_, index) => (index === 0 ? 2 * (size - 1) : 1)),
  ]
}

describe('quorums', () => {
  for (const size of [4, 5, 6, 7, 8])
    test(`all ${2 ** size} subsets of ${size} members`, () => {
      for (const powers of distributions(size)) {
        const cluster = syntheticCluster(powers, `quorum ${powers.join()}`)
        const all = syntheticCertificate(cluster, syntheticBlock(cluster))
        const members = cluster.trusted.validators.validators
        const total = powers.reduce((sum, power) => sum + power, 0)
        const curve = memoizedCurve()
        let accepted = 0
        for (let subset = 0; subset < 2 ** size; subset++) {
          const signatures = all.signatures.filter(({ validator }) => (subset >> validator) & 1)
          const power = signatures.reduce((sum, { validator }) => sum + (members[validator]?.power ?? 0), 0)
          const enough = power * 3 > total * 2 && signatures.length * 3 > size * 2
          const code = rejectionOf(() =>
            Certificate.verify(nobleHasher, curve, { ...all, signatures }, cluster.trusted),
          )
          assert.equal(code, enough ? null : 'too-few-signatures', `powers ${powers}, subset ${subset.toString(2)}`)
          if (enough) accepted++
        }
        assert.ok(accepted > 0 && accepted < 2 ** (size - 1), `${accepted} subsets of ${powers} were accepted`)
      }
    })
})
