/**
 * The config.toml of one CometBFT v0.40 process, written whole, so that no default of its own decides anything
 * (`consensus.md`, Config keys and Idle chain). Flood mempool that only wakes consensus, no empty blocks, no recheck,
 * gossip every 2 ms, no indexer, no peer exchange: peers are the members and nobody else.
 */
import { OnusError } from '@onus/protocol/errors'
import { stringify } from 'smol-toml'
import type { Timeouts } from './timeouts.js'

export interface CometbftPeer {
  /** 40 hexadecimal digits. */
  readonly nodeId: string
  readonly host: string
  readonly port: number
}

export interface CometbftConfig {
  readonly moniker: string
  /** Unix socket of the application. */
  readonly abciSocket: string
  /** Unix socket on which CometBFT awaits the signer. */
  readonly signerSocket: string
  /** On 127.0.0.1. */
  readonly rpcPort: number
  readonly p2pHost: string
  readonly p2pPort: number
  readonly peers: readonly CometbftPeer[]
  readonly timeouts: Timeouts
  /** Longest transaction that the mempool takes, in bytes; wake transactions are short. */
  readonly maximumTransactionBytes: number
}

/** Files and folders below the home, as the config names them. */
export const homeFiles = {
  genesis: 'config/genesis.json',
  nodeKey: 'config/node_key.json',
  config: 'config/config.toml',
} as const

const nodeIdForm = /^[0-9a-f]{40}$/
const hostForm = /^[0-9A-Za-z.-]+$|^\[[0-9a-fA-F:]+\]$/

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new OnusError('cometbft-config', `expected a port from 1 to 65535, got ${port}`)
  return port
}

function checkHost(host: string): string {
  if (!hostForm.test(host)) throw new OnusError('cometbft-config', `expected a host name or address, got ${host}`)
  return host
}

function peerAddress({ nodeId, host, port }: CometbftPeer): string {
  if (!nodeIdForm.test(nodeId))
    throw new OnusError('cometbft-config', `expected a node id of 40 hexadecimal digits, got ${nodeId}`)
  return `${nodeId}@${checkHost(host)}:${checkPort(port)}`
}

const milliseconds = (value: number): string => `${value}ms`

function consensusSection(timeouts: Timeouts): Record<string, string | number | boolean> {
  return {
    wal_file: 'data/cs.wal/wal',
    timeout_propose: milliseconds(timeouts.propose),
    timeout_propose_delta: milliseconds(timeouts.proposeDelta),
    timeout_prevote: milliseconds(timeouts.prevote),
    timeout_prevote_delta: milliseconds(timeouts.prevoteDelta),
    timeout_precommit: milliseconds(timeouts.precommit),
    timeout_precommit_delta: milliseconds(timeouts.precommitDelta),
    timeout_commit: '0s',
    skip_timeout_commit: true,
    double_sign_check_height: 0,
    create_empty_blocks: false,
    create_empty_blocks_interval: '0s',
    peer_gossip_sleep_duration: '2ms',
    peer_query_maj23_sleep_duration: '500ms',
    block_time_tolerance: '1m0s',
  }
}

function rpcSection(config: CometbftConfig): Record<string, string | number | boolean | string[]> {
  return {
    laddr: `tcp://127.0.0.1:${checkPort(config.rpcPort)}`,
    cors_allowed_origins: [],
    cors_allowed_methods: [],
    cors_allowed_headers: [],
    grpc_laddr: '',
    unsafe: false,
    max_open_connections: 100,
    max_subscription_clients: 10,
    max_subscriptions_per_client: 5,
    experimental_subscription_buffer_size: 200,
    experimental_websocket_write_buffer_size: 200,
    experimental_close_on_slow_client: false,
    timeout_broadcast_tx_commit: '10s',
    max_request_batch_size: 10,
    max_body_bytes: 1_000_000,
    max_header_bytes: 65_536,
    tls_cert_file: '',
    tls_key_file: '',
    pprof_laddr: '',
  }
}

function p2pSection(config: CometbftConfig): Record<string, unknown> {
  return {
    laddr: `tcp://${checkHost(config.p2pHost)}:${checkPort(config.p2pPort)}`,
    external_address: '',
    seeds: '',
    persistent_peers: config.peers.map(peerAddress).join(','),
    addr_book_file: 'config/addrbook.json',
    // Members may stand on private addresses, several on one.
    addr_book_strict: false,
    allow_duplicate_ip: true,
    max_num_inbound_peers: 40,
    max_num_outbound_peers: 40,
    unconditional_peer_ids: config.peers.map(({ nodeId }) => nodeId).join(','),
    // Else a member that was down is dialled with a growing pause, minutes after a while.
    persistent_peers_max_dial_period: '1s',
    flush_throttle_timeout: '100us',
    max_packet_msg_payload_size: 65_536,
    send_rate: 200_000_000,
    recv_rate: 200_000_000,
    pex: false,
    seed_mode: false,
    private_peer_ids: '',
    handshake_timeout: '20s',
    dial_timeout: '3s',
    libp2p: { enabled: false },
  }
}

function mempoolSection(config: CometbftConfig): Record<string, string | number | boolean> {
  return {
    type: 'flood',
    recheck: false,
    recheck_timeout: '1s',
    broadcast: true,
    wal_dir: '',
    size: 1000,
    max_txs_bytes: 16_777_216,
    cache_size: 10_000,
    'keep-invalid-txs-in-cache': false,
    max_tx_bytes: config.maximumTransactionBytes,
    experimental_max_gossip_connections_to_persistent_peers: 0,
    experimental_max_gossip_connections_to_non_persistent_peers: 0,
  }
}

/** The text of config.toml. Rejects `cometbft-config` on a port, host or node id that is none. */
export function cometbftConfigText(config: CometbftConfig): string {
  return stringify({
    proxy_app: `unix://${config.abciSocket}`,
    moniker: config.moniker,
    db_backend: 'goleveldb',
    db_dir: 'data',
    log_level: 'error',
    log_format: 'json',
    genesis_file: homeFiles.genesis,
    // CometBFT makes a key even where a remote signer holds the real one; nothing is ever signed with it.
    priv_validator_key_file: 'data/unused_validator_key.json',
    priv_validator_state_file: 'data/unused_validator_state.json',
    priv_validator_laddr: `unix://${config.signerSocket}`,
    node_key_file: homeFiles.nodeKey,
    abci: 'socket',
    filter_peers: false,
    event_bus_buffer_capacity: 1000,
    rpc: rpcSection(config),
    p2p: p2pSection(config),
    mempool: mempoolSection(config),
    statesync: { enable: false },
    blocksync: { version: 'v0', adaptive_sync: false },
    consensus: consensusSection(config.timeouts),
    storage: { discard_abci_responses: false },
    tx_index: { indexer: 'null' },
    instrumentation: { prometheus: false },
  })
}
