import type { z } from 'zod'
import type { Finding } from '../../schemas/finding.ts'
import type { Notice } from '../../schemas/incidents.ts'
import type { EventLog } from '../../services/stream/log.ts'

/**
 * The socket for alert channels. A channel is one folder under `channels/`; its name is the kind
 * that the configuration names and is written nowhere else. The folder holds channel.ts (default
 * export of `defineChannel`) and example.yaml (one entry of the configuration, as a user would
 * write it; the conformance test uses it).
 *
 * Delivery is at least once: after a crash the same notice comes again with the same id, or the
 * same incident with the same labels. A channel turns that into what its receiver takes for one.
 */

/** The outside world of a channel. Everything it does goes through here. */
export type ChannelDoors = {
  fetch: typeof fetch
  clock: () => Date
  /** Reads a secret anew each time, so that secrets can be rotated without a restart. */
  readSecret: (file: string) => Promise<string>
  /** The event log; null where none is configured. */
  log: EventLog | null
}

/** What became of one attempt. Failures that are defects of ours are thrown instead. */
export type Outcome =
  | { kind: 'delivered' }
  /** May succeed later; the receiver may have said when. */
  | { kind: 'retry'; reason: string; retryAfterMs: number | null }
  /** Will never succeed as it is: it is parked and reported. */
  | { kind: 'rejected'; reason: string }

export type Links = { page: string | null; runbook: string | null }

/** One notice with all that can be said about it. */
export type Notification = { notice: Notice; finding: Finding; links: Links }

/** An incident as it stands, for receivers that are told states and not changes. */
export type Standing = {
  fingerprint: string
  signal: string
  tenant: string | null
  severity: Finding['severity']
  /** Severities that it lately had and has no more; receivers may have to end those. */
  severitiesEnded: readonly Finding['severity'][]
  status: 'open' | 'acknowledged' | 'resolved'
  /** Wall clock of the resolve; while open, of the last change of severity. */
  changedClockMs: number
  finding: Finding
  links: Links
}

/** Tells each notice once, in order. */
export type EventSender = {
  mode: 'events'
  send: (notification: Notification, signal: AbortSignal) => Promise<Outcome>
}

/** Tells how incidents stand, on each change and again every `refreshMs`. */
export type StateSender = {
  mode: 'states'
  refreshMs: number
  /** How long resolved incidents are told. */
  resolvedMs: number
  /** Most incidents that one call takes. */
  batchMax: number
  send: (standings: readonly Standing[], signal: AbortSignal) => Promise<Outcome>
}

export type Sender = EventSender | StateSender

export type ChannelDefinition<Schema extends z.ZodObject> = {
  title: string
  /** What the configuration entry holds beside `name` and `kind`. Unknown keys are errors. */
  config: Schema
  /** What the receiver takes at least: one notification or incident stays below it. */
  bytesMax: number
  open: (config: z.output<Schema>, doors: ChannelDoors) => Sender
}

export type Channel = {
  title: string
  config: z.ZodObject
  bytesMax: number
  /** Checks the entry and opens the channel; does not connect. @throws ZodError */
  open: (entry: unknown, doors: ChannelDoors) => Sender
}

/** Closes over the configuration's type, so that the job needs to know nothing about it. */
export const defineChannel = <Schema extends z.ZodObject>(
  definition: ChannelDefinition<Schema>
): Channel => ({
  title: definition.title,
  config: definition.config,
  bytesMax: definition.bytesMax,
  open: (entry, doors) => definition.open(definition.config.parse(entry), doors)
})
