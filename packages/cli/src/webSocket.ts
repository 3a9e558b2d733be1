/** WebSockets for clients on Node 20, which has none of its own. */
import type { OpenWebSocket } from '@onus/client/callStream'
import { WebSocket } from 'ws'

export const openWebSocket: OpenWebSocket = (url, protocol) =>
  new WebSocket(url, protocol, { perMessageDeflate: false })
