/** Vectors of the powers that members may have: the hashes of all allowed sets, and certificates that need them. */
import { encodeCertificate, type UnverifiedCertificate } from '../../src/certificate.js'
import { encodeGenesis } from '../../src/genesis.js'
import { nobleHasher } from '../../src/hash.js'
import { loweredPowerOf, withLowered } from '../../src/memberPowers.js'
import { encodeMembers, type ValidatorSet, validatorSetOf, validatorsHash } from '../../src/validatorSet.js'
import { syntheticBlock, syntheticCertificate, syntheticCluster } from '../support/syntheticCluster.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

function setCase(members: number): object {
  const { validators } = syntheticCluster(new Array<number>(members).fill(1000)).trusted
  const loweredHashes = validators.validators.flatMap((_, place) => {
    const lowered = withLowered(validators, place)
    return lowered === null ? [] : [validatorsHash(nobleHasher, lowered)]
  })
  return {
    publicKeys: validators.validators.map(({ publicKey }) => publicKey),
    power: 1000,
    loweredPower: loweredPowerOf(validators),
    validatorsHash: validatorsHash(nobleHasher, validators),
    loweredHashes,
  }
}

const cluster = syntheticCluster([1000, 1000, 1000, 1000])

function certificateUnder(set: ValidatorSet, signers: readonly number[]): UnverifiedCertificate {
  const block = syntheticBlock(cluster, { header: { validatorsHash: validatorsHash(nobleHasher, set) } })
  return syntheticCertificate(cluster, block, signers)
}

export function powersVectors(): VectorFile {
  const { genesis, trusted } = cluster
  const lowered = withLowered(trusted.validators, 2) as ValidatorSet
  const halved = validatorSetOf(
    trusted.validators.validators.map(({ publicKey }, place) => ({ publicKey, power: place === 2 ? 500 : 1000 })),
  )
  const accepted = [
    ['without the lowered member', certificateUnder(lowered, [0, 1, 3])],
    ['with it', certificateUnder(lowered, [0, 1, 2])],
  ] as const
  const refused = [
    ['two members and the power of nearly all', 'too-few-signatures', certificateUnder(lowered, [0, 1])],
    ['a power that nobody may have', 'wrong-members', certificateUnder(halved, [0, 1, 2, 3])],
  ] as const
  return {
    note: 'spec/consensus.md 4. For members of power 1,000, in the order of the genesis: what one may be lowered to (null: nobody), and the validators hash with none lowered and with each. Then certificates of a cluster in which the member at place 2 is lowered, to be accepted or refused with the code.',
    ...(jsonOf({
      sets: [4, 5, 6, 7, 16].map(setCase),
      genesis: encodeGenesis(genesis),
      members: encodeMembers(genesis.membershipVersion, genesis.validators),
      verified: accepted.map(([what, certificate]) => ({ what, certificate: encodeCertificate(certificate) })),
      refused: refused.map(([what, code, certificate]) => ({
        what,
        code,
        certificate: encodeCertificate(certificate),
      })),
    }) as object),
  }
}
