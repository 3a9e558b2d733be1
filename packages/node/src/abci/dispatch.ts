/**
 * One ABCI request in, one response frame out. Calls that Onus leaves to CometBFT's defaults are answered here: no
 * snapshots are offered or taken (state comes from the contract's checkpoint, S17), vote extensions and the
 * application's mempool are off in our genesis and configuration, so a call of them is a rejection.
 */
import { OnusError } from '@onus/protocol/errors'
import { encodeUnionFrame } from '../protobuf/encode.js'
import type { Union } from '../protobuf/types.js'
import type { Application, FinalizeBlockResponse } from './application.js'
import { blockRequestOf, initChainRequestOf, prepareProposalRequestOf } from './translate.js'

/** `ResponseProcessProposal.ProposalStatus`. */
const proposalStatus = { accept: 1, reject: 2 } as const
/** `ResponseOfferSnapshot.Result` and `ResponseApplySnapshotChunk.Result`: stop restoring. */
const snapshotAbort = 2
/** Version of the application in every header. */
const applicationVersion = 0

type Request = Union<'Request'>
type RequestOf<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>['value']

function finalizeBlockFrame(request: RequestOf<'finalizeBlock'>, response: FinalizeBlockResponse): Uint8Array {
  return encodeUnionFrame('Response', 'finalizeBlock', {
    // Results stand in the manifest, where they are proved; CometBFT wants one entry for each item.
    txResults: request.txs.map(() => ({})),
    validatorUpdates: response.validatorUpdates.map((update) => ({
      pubKey: { secp256k1eth: update.publicKey },
      power: update.power,
    })),
    appHash: response.appHash,
  })
}

async function consensusCall(application: Application, request: Request): Promise<Uint8Array> {
  switch (request.kind) {
    case 'initChain':
      return encodeUnionFrame('Response', 'initChain', {
        appHash: (await application.initChain(initChainRequestOf(request.value))).appHash,
      })
    case 'prepareProposal':
      return encodeUnionFrame('Response', 'prepareProposal', {
        txs: await application.prepareProposal(prepareProposalRequestOf(request.value)),
      })
    case 'processProposal': {
      const accepted = await application.processProposal(blockRequestOf(request.value))
      return encodeUnionFrame('Response', 'processProposal', {
        status: accepted ? proposalStatus.accept : proposalStatus.reject,
      })
    }
    case 'finalizeBlock':
      return finalizeBlockFrame(request.value, await application.finalizeBlock(blockRequestOf(request.value)))
    case 'commit':
      return encodeUnionFrame('Response', 'commit', await application.commit())
    default:
      throw new OnusError('abci-unsupported', `expected a call that Onus configures, got ${request.kind}`)
  }
}

/** The response frame to `request`. Rejects with the application's error, or an `OnusError` `abci-…`. */
export async function dispatch(application: Application, request: Request): Promise<Uint8Array> {
  switch (request.kind) {
    case 'echo':
      return encodeUnionFrame('Response', 'echo', { message: request.value.message })
    case 'flush':
      return encodeUnionFrame('Response', 'flush', {})
    case 'info':
      return encodeUnionFrame('Response', 'info', {
        data: 'onus',
        appVersion: applicationVersion,
        ...(await application.info()),
      })
    case 'query': {
      const { path, data, height } = request.value
      return encodeUnionFrame('Response', 'query', await application.query({ path, data, height }))
    }
    case 'checkTx': {
      const { tx, type } = request.value
      return encodeUnionFrame(
        'Response',
        'checkTx',
        await application.checkTx({ transaction: tx, recheck: type === 1 }),
      )
    }
    case 'listSnapshots':
      return encodeUnionFrame('Response', 'listSnapshots', {})
    case 'offerSnapshot':
      return encodeUnionFrame('Response', 'offerSnapshot', { result: snapshotAbort })
    case 'loadSnapshotChunk':
      return encodeUnionFrame('Response', 'loadSnapshotChunk', {})
    case 'applySnapshotChunk':
      return encodeUnionFrame('Response', 'applySnapshotChunk', { result: snapshotAbort })
    default:
      return consensusCall(application, request)
  }
}
