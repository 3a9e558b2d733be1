/**
 * Limits and switches of a gateway as `node.json` gives them (`docs/guides/gateway.md`): everything has a default, and
 * what is given is read strictly, each complaint with its path. Limits of transactions are the cluster's, in the genesis.
 */
import { OnusError } from '@onus/protocol/errors'
import { elements, integer, type JsonValue, member, text, truth } from '../engines/cometbft/json.js'
import type { LogLevel } from '../log.js'

/** A token bucket: `burst` at once, `perSecond` in the long run. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export interface EventLimits {
  /** Open streams, and those of one address. */
  readonly streams: number
  readonly streamsPerAddress: number
  /** Bytes that wait for a slow reader before reading of blocks pauses. */
  readonly bufferBytes: number
  /** A reader that takes nothing for so long is sent away. */
  readonly stallSeconds: number
  readonly heartbeatSeconds: number
  /** A cursor further back is refused. */
  readonly historyBlocks: number
}

export interface GatewaySettings {
  /** Pages of which origins may call; `any` is safe, for nothing is authorised by cookies. */
  readonly origins: 'any' | readonly string[]
  /** Reverse proxies in front: so many entries at the end of `x-forwarded-for` are believed. */
  readonly trustedProxies: number
  readonly rates: {
    /** Calls of one session, in which one key signs; null: no limit. */
    readonly key: Rate | null
    /** Requests of one address that no signature stands for; null: no limit. */
    readonly address: Rate | null
  }
  /** Envelopes on their way through the workers; more are refused as `busy`. */
  readonly envelopesInFlight: number
  /** Bytes of a JSON request, and of the binary form of an answer given as JSON. */
  readonly jsonBytes: number
  readonly events: EventLimits
  /** Open call streams (WebSockets), and those of one address. */
  readonly calls: { readonly streams: number; readonly streamsPerAddress: number }
}

export const defaultSettings: GatewaySettings = {
  origins: 'any',
  trustedProxies: 0,
  rates: { key: { perSecond: 2000, burst: 10_000 }, address: { perSecond: 500, burst: 2000 } },
  envelopesInFlight: 4096,
  jsonBytes: 32_768,
  events: {
    streams: 256,
    streamsPerAddress: 32,
    bufferBytes: 1_048_576,
    stallSeconds: 30,
    heartbeatSeconds: 10,
    historyBlocks: 1_000_000,
  },
  calls: { streams: 4096, streamsPerAddress: 256 },
}

function refusal(json: JsonValue, expected: string): OnusError {
  return new OnusError('node-config', `expected ${expected}`, { path: json.path })
}

/** Refuses a member that does not exist: a misspelt limit would silently be the default. */
function checkMembers(json: JsonValue, known: readonly string[]): void {
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value))
    throw refusal(json, 'an object')
  for (const name of Object.keys(json.value))
    if (!known.includes(name)) throw refusal(member(json, name), `one of ${known.join(', ')}`)
}

/** What `read` makes of member `name`, or the default where it is missing. */
export function optional<Value>(
  json: JsonValue,
  name: string,
  otherwise: Value,
  read: (json: JsonValue) => Value,
): Value {
  const found = member(json, name)
  return found.value === undefined ? otherwise : read(found)
}

function within(least: number, most: number): (json: JsonValue) => number {
  return (json) => {
    const value = integer(json)
    if (value < least || value > most) throw refusal(json, `an integer from ${least} to ${most}, got ${value}`)
    return value
  }
}

function origin(json: JsonValue): string {
  const url = URL.canParse(text(json)) ? new URL(text(json)) : null
  if (url === null || url.origin !== text(json)) throw refusal(json, 'an origin such as https://app.example')
  return url.origin
}

function origins(json: JsonValue): 'any' | readonly string[] {
  return json.value === 'any' ? 'any' : elements(json, 1000).map(origin)
}

function rate(json: JsonValue): Rate | null {
  if (json.value === null) return null
  checkMembers(json, ['perSecond', 'burst'])
  return {
    perSecond: within(1, 1_000_000)(member(json, 'perSecond')),
    burst: within(1, 10_000_000)(member(json, 'burst')),
  }
}

function rates(json: JsonValue): GatewaySettings['rates'] {
  checkMembers(json, ['key', 'address'])
  const { key, address } = defaultSettings.rates
  return { key: optional(json, 'key', key, rate), address: optional(json, 'address', address, rate) }
}

function events(json: JsonValue): EventLimits {
  const defaults = defaultSettings.events
  checkMembers(json, Object.keys(defaults))
  return {
    streams: optional(json, 'streams', defaults.streams, within(0, 100_000)),
    streamsPerAddress: optional(json, 'streamsPerAddress', defaults.streamsPerAddress, within(1, 100_000)),
    bufferBytes: optional(json, 'bufferBytes', defaults.bufferBytes, within(16_384, 64 * 1_048_576)),
    stallSeconds: optional(json, 'stallSeconds', defaults.stallSeconds, within(1, 3600)),
    heartbeatSeconds: optional(json, 'heartbeatSeconds', defaults.heartbeatSeconds, within(1, 600)),
    historyBlocks: optional(json, 'historyBlocks', defaults.historyBlocks, within(1, Number.MAX_SAFE_INTEGER)),
  }
}

function calls(json: JsonValue): GatewaySettings['calls'] {
  const defaults = defaultSettings.calls
  checkMembers(json, Object.keys(defaults))
  return {
    streams: optional(json, 'streams', defaults.streams, within(0, 100_000)),
    streamsPerAddress: optional(json, 'streamsPerAddress', defaults.streamsPerAddress, within(1, 100_000)),
  }
}

/** The settings beside `host` and `port` in an object. Rejects `node-config` and `rpc-shape`, with the path. */
export function gatewaySettings(json: JsonValue): GatewaySettings {
  const defaults = defaultSettings
  checkMembers(json, ['host', 'port', ...Object.keys(defaults)])
  return {
    origins: optional(json, 'origins', defaults.origins, origins),
    trustedProxies: optional(json, 'trustedProxies', defaults.trustedProxies, within(0, 16)),
    rates: optional(json, 'rates', defaults.rates, rates),
    envelopesInFlight: optional(json, 'envelopesInFlight', defaults.envelopesInFlight, within(1, 1_000_000)),
    jsonBytes: optional(json, 'jsonBytes', defaults.jsonBytes, within(1024, 1_048_576)),
    events: optional(json, 'events', defaults.events, events),
    calls: optional(json, 'calls', defaults.calls, calls),
  }
}

const logLevels: readonly LogLevel[] = ['info', 'warn', 'error']

export interface LogSettings {
  /** The least level that is written. */
  readonly level: LogLevel
  /** Whether each request to the gateway is a line. */
  readonly requests: boolean
}

export const defaultLogSettings: LogSettings = { level: 'info', requests: false }

function level(json: JsonValue): LogLevel {
  const found = logLevels.find((name) => name === json.value)
  if (found === undefined) throw refusal(json, `one of ${logLevels.join(', ')}`)
  return found
}

export function logSettings(json: JsonValue): LogSettings {
  checkMembers(json, Object.keys(defaultLogSettings))
  return {
    level: optional(json, 'level', defaultLogSettings.level, level),
    requests: optional(json, 'requests', defaultLogSettings.requests, truth),
  }
}
