import type { LogEntry, logLevel } from 'kafkajs'
import type { KafkaLog } from './settings.ts'

/** kafkajs's numbers of levels. */
const ERROR = 1
const WARN = 2

/** What kafkajs reports, handed to the product's own log, or to nobody. */
export const kafkaLogger =
  (log: KafkaLog | undefined) =>
  (_level: logLevel) =>
  ({ level, log: entry }: LogEntry): void => {
    if (level !== ERROR && level !== WARN) return
    const { message, timestamp, ...fields } = entry
    log?.(Number(level) === ERROR ? 'error' : 'warn', message, { ...fields, at: timestamp })
  }
