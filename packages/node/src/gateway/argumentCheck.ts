/**
 * What a gateway checks of an envelope before it costs anything (`spec/gateway.md`): size, form, gas, and every call's
 * arguments against the interface. Signature and session follow in workers.
 */
import { OnusError } from '@onus/protocol/errors'
import type { Genesis } from '@onus/protocol/genesis'
import { decodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { decodeEnvelope, type Envelope } from '@onus/protocol/transaction'

/**
 * Rejects `too-large`, `gas-limit`, `no-such-entry`, `query-not-callable` and the codes of the decoders, with the path of
 * the call and of the value in it.
 */
export function checkEnvelope(bytes: Uint8Array, description: Interface, genesis: Genesis): Envelope {
  const { limits } = genesis
  if (bytes.length > limits.envelopeBytes)
    throw new OnusError('too-large', `an envelope has at most ${limits.envelopeBytes} bytes, got ${bytes.length}`)
  const envelope = decodeEnvelope(bytes)
  envelope.transactions.forEach((transaction, index) => {
    if (transaction.type !== 'call') return
    const path = `calls[${index}]`
    if (transaction.gasLimit === 0 || transaction.gasLimit > limits.callGas)
      throw new OnusError('gas-limit', `expected a gas limit of 1 to ${limits.callGas}, got ${transaction.gasLimit}`, {
        path,
      })
    checkArgument(transaction.argument, description, path)
  })
  return envelope
}

function checkArgument(argument: Uint8Array, description: Interface, path: string): void {
  if (entryKind(argument, description, path) === 'query')
    throw new OnusError('query-not-callable', 'a query changes nothing, so it is not sent as a transaction', {
      path,
      remedy: 'POST the argument to /v1/queries',
    })
}

function entryKind(argument: Uint8Array, description: Interface, path: string): string {
  try {
    return decodeCall(description, argument).entry.kind
  } catch (error) {
    if (!(error instanceof OnusError)) throw error
    const { code, remedy } = error
    const inner = error.path === undefined || error.path === '' ? '' : `.${error.path}`
    // A message begins with its path: the longer path takes the place of the shorter.
    const message = error.path === undefined ? error.message : error.message.slice(error.path.length + 2)
    throw new OnusError(code === 'decode-selector' ? 'no-such-entry' : code, message, {
      path: `${path}${inner}`,
      cause: error,
      ...(remedy === undefined ? {} : { remedy }),
    })
  }
}
