/**
 * Random networks from a seed: four to seven nodes, now and then one that lies, any load, one to three perturbations that
 * a cluster must survive.
 */
import { checkManifest, type NetworkManifest, type Perturbation, type PerturbationKind } from './network.js'
import { integerBelow, oneOf, randomFrom } from './random.js'

/** All of them pass by themselves; `stop-node` comes with its `start-node`. */
const kinds: readonly PerturbationKind[] = ['kill-node', 'kill-cometbft', 'kill-two', 'kill-all', 'pause', 'stop-node']

function drawPerturbations(random: () => number, nodes: number, calls: number, hasLiar: boolean): Perturbation[] {
  const count = 1 + integerBelow(random, 3)
  return Array.from({ length: count }, (_, index) => {
    // One after the other, in equal parts of the load: what must be survived is any one of them, or one upon recovery.
    const part = Math.floor(calls / (count + 1))
    const when = part * index + 5 + integerBelow(random, Math.max(1, part - 10))
    // A liar leaves consensus, so with another node stopped four have no quorum, and nothing would start it again.
    const kind = oneOf(random, hasLiar ? kinds.filter((other) => other !== 'stop-node') : kinds)
    const node = 1 + integerBelow(random, nodes)
    const drawn: Perturbation = { when, kind, node }
    return kind === 'stop-node' ? [drawn, { when: when + 5, kind: 'start-node' as const, node }] : [drawn]
  }).flat()
}

export function generateNetwork(seed: number): NetworkManifest {
  const random = randomFrom(seed)
  const nodes = oneOf(random, [4, 4, 4, 5, 7])
  const calls = 60 + integerBelow(random, 100)
  const liars = random() < 0.25 ? [1 + integerBelow(random, nodes)] : []
  return checkManifest({
    name: `seed ${seed}`,
    engine: 'cometbft',
    nodes,
    liars,
    load: {
      calls,
      concurrency: 1 + integerBelow(random, 12),
      signed: oneOf(random, ['individually', 'batched'] as const),
    },
    perturbations: drawPerturbations(random, nodes, calls, liars.length > 0),
    seed,
  })
}
