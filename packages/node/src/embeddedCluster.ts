import type { NodeFiles } from './nodeConfig.js'
import type { OnusNode } from './onusNode.js'
export async function runEmbedded(_files: readonly NodeFiles[], _create: unknown): Promise<OnusNode[]> {
  throw new Error('soon')
}
