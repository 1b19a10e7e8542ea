import type { KafkaConfig } from 'kafkajs'

/** What a message of the client is about; `error` and `warn` deserve an operator's eye. */
export type KafkaLog = (level: 'error' | 'warn', message: string, fields: object) => void

export type KafkaSettings = {
  /** Addresses to start from: `host:port`. */
  brokers: readonly string[]
  clientId?: string
  ssl?: KafkaConfig['ssl']
  sasl?: KafkaConfig['sasl']
  /** Compresses what is appended. */
  compression?: 'none' | 'gzip'
  /** Receives what the client reports; nothing is printed without it. */
  log?: KafkaLog
  /** How long an append or an answer may take before it is given up as E_LOG_UNAVAILABLE. */
  timeoutMs?: number
  /** Retention of topics that are created here; the broker's default when not given. */
  retentionMs?: number
  replicationFactor?: number
  /** How often members of a group look for new partitions. */
  metadataMaxAgeMs?: number
  /** Silence after which a member is taken for dead. */
  sessionTimeoutMs?: number
}

export const CLIENT_ID = 'tallystream'
/** Long enough for a broker to restart, short enough that a client's HTTP call still waits. */
export const TIMEOUT_MS = 30_000
/** A connection that takes longer than this on a network is as good as none. */
export const CONNECTION_TIMEOUT_MS = 5000
/** New partitions wait at most this long for a reader; kafkajs's own default is five minutes. */
export const METADATA_MAX_AGE_MS = 15_000
/** Two missed heartbeats and a pause for garbage collection fit in. */
export const SESSION_TIMEOUT_MS = 30_000
