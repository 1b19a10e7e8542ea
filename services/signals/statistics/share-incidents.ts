import type { Draft } from '../define.ts'
import { openAccount, openMinute, type Account } from './false-alarm-account.ts'
import type { Asked } from './rise-alarm.ts'
import { R } from './rise-record.ts'
import { riseChange, type RiseStretch } from './rise-change.ts'
import { observeRise, riseNats, type RiseOutcome, type RiseSettings } from './rise-detector.ts'
import { wordsOf, type Slots, type Words } from './series-slots.ts'
import { takeMinute, type WatchedShares } from './watched-shares.ts'

/** Judges a minute of watched shares, and says which incidents begin and end. */

export type ShareSettings = Omit<RiseSettings, keyof Asked> & {
  falseFindingsPerTenantMonth: number
}

export type ShareEvent = {
  slot: number
  name: Words
  outcome: Exclude<RiseOutcome, 'nothing'>
  change: { before: RiseStretch; after: RiseStretch }
  evidenceNats: number
  /** Day since the epoch on which the incident began: with the name it is its identity. */
  incidentDay: number
}

/** Names the series of an event in a map of what is open. */
export const judgedKey = ({ name }: ShareEvent): string => JSON.stringify(name)

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** Events of the minute that starts at `ms`, ordered by name. */
export const judgeShares = (
  shares: WatchedShares,
  ms: number,
  settings: ShareSettings
): ShareEvent[] => {
  // One object for all: what is asked changes from tenant to tenant.
  const own: RiseSettings = { ...settings, alarmNats: 0 }
  const events: ShareEvent[] = []
  takeMinute(shares, (slot, tally) => {
    const account = accountIn(shares.slots, slot, ms, settings)
    own.alarmNats = account.nats
    own.ledger = account
    const outcome = observeRise(shares.slots.records, slot, { tally, ms }, own)
    if (outcome !== 'nothing') events.push(eventOf(shares, slot, outcome, ms))
  })
  return events.sort((a, b) => (JSON.stringify(a.name) < JSON.stringify(b.name) ? -1 : 1))
}

/** The account of a slot's tenant, opened for the minute. */
const accountIn = (
  { tenantOf }: Slots,
  slot: number,
  ms: number,
  { falseFindingsPerTenantMonth }: ShareSettings
): Account => {
  const tenant = tenantOf[slot]!
  const account = (tenant.account ??= openAccount(ms))
  if (account.ms !== ms || account.perStart === 0) {
    openMinute(account, ms, { falseFindingsPerTenantMonth, series: tenant.series })
  }
  return account
}

const eventOf = (
  { slots }: WatchedShares,
  slot: number,
  outcome: ShareEvent['outcome'],
  ms: number
): ShareEvent => {
  const { records } = slots
  const d = records.doubles
  const at = slot * records.shape.doubles
  // Within a day after recovery the same series reopens the same incident.
  const flaps = d[at + R.incidentDay]! > 0 && ms - d[at + R.resolvedMs]! < DAY_MS
  if (outcome === 'opened' && !flaps) {
    d[at + R.incidentDay] = Math.floor(d[at + R.startedMs]! / DAY_MS)
  }
  return {
    slot,
    name: wordsOf(slots, slot),
    outcome,
    change: riseChange(records, slot),
    evidenceNats: riseNats(d, at),
    incidentDay: d[at + R.incidentDay]!
  }
}

/** The finding that tells of the end of one that was told. */
export const endDraft = (
  draft: Draft,
  ms: number,
  outcome: 'resolved' | 'accepted' = 'resolved'
): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: new Date(ms + MINUTE_MS).toISOString(),
  summary: `${outcome === 'resolved' ? 'Recovered.' : 'Lasted so long that it is now the baseline.'} ${draft.summary}`
})

const PICO_PER_USD = 1e12
const HOUR_MS = 3_600_000
const USD_DIGITS = 4

/** Pico-dollars over a stretch of time as USD per hour; null when nothing was priced. */
export const usdPerHour = (costPico: number | null, ms: number): string | null =>
  costPico === null || ms <= 0
    ? null
    : ((Math.max(0, costPico) * HOUR_MS) / ms / PICO_PER_USD).toFixed(USD_DIGITS)

export const usd = (costPico: number): string => (costPico / PICO_PER_USD).toFixed(USD_DIGITS)

export const pct = (share: number): number => Math.round(share * 1000) / 10
