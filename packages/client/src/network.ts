/** What every part of a client shares: the pinned trust, the nodes, what was verified, and the settings. No code. */
import type { BlockMoment } from '@onus/protocol/session'
import type { CallStreams } from './callStreams.js'
import type { CertificateStore } from './certificateStore.js'
import type { EvidenceLog } from './evidence.js'
import type { Lifetime } from './lifetime.js'
import type { PoolNode } from './nodePool.js'
import type { Settings } from './settings.js'
import type { TrustedCluster } from './trust.js'

export interface Network {
  readonly trust: TrustedCluster
  readonly settings: Settings
  readonly pool: readonly PoolNode[]
  readonly streams: CallStreams
  readonly evidence: EvidenceLog
  readonly certificates: CertificateStore
  /** Over when the client is closed. */
  readonly lifetime: Lifetime
  /** A later moment than the newest certificate's, on the word of f+1 nodes: after a rest no certificate tells it. */
  hint: BlockMoment | null
  /** Greatest height of a value given to the user: later queries read no older state. */
  readHeight: number
}
