import type { Failure } from '../../../schemas/failure.ts'
import type { Sender } from '../channel.ts'
import type { LinkBook } from '../links.ts'
import type { AlertStore } from '../store.ts'
import type { Parked } from './lane-state.ts'

export type LaneObserver = {
  delivered: (channel: string, count: number) => void
  retried: (channel: string, reason: string) => void
  /** Refused for good: E_ALERT_REJECTED. */
  parked: (channel: string, failure: Failure) => void
  pending: (channel: string, count: number) => void
}

export type LaneDoors = {
  store: AlertStore
  clock: () => Date
  random: () => number
  /** Resolves after the time, or at once when the signal fires; never rejects. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  observer: LaneObserver
  links: LinkBook
}

/** What a round of delivery came to. */
export type RoundReport =
  | { kind: 'idle' }
  | { kind: 'retry'; reason: string; retryAfterMs: number | null }

export type Lane = {
  name: string
  sender: Sender
  /** Whether a round is under way; not while it waits after a failure. */
  isTelling: boolean
  /** Failures in a row of what comes next; deliveries set it back. */
  attempts: number
  /** How far it told in this life; the lake may know less when a commit failed. */
  reached: number
  /** Refusals that are not in the lake yet. */
  unsaved: Parked[]
}
