import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Finding } from '../../schemas/finding.ts'
import type { TableName } from '../../schemas/tables.ts'
import type { Head } from '../lake/commit.ts'
import type { Lake } from '../lake/lake.ts'
import { readEntry } from '../lake/ranges-log.ts'
import type { EventLog, PartitionState } from '../stream/log.ts'
import { detectAll, landAll, settleAll } from './pipeline.ts'
import { eventPartitions, lakeFolder, type LakeSite, type SiteOptions } from './site.ts'
import { CONSUME_LEASE, JOBS_LEASE, keepLease } from './up/held-lease.ts'

/** What became of the records that the log held. */
export type LandingReport = {
  /** Rows that commits have added since, by table. */
  rows: Partial<Record<TableName, number>>
  /** Whether this process landed them or another one that has that role; null = nothing to land. */
  landedBy: 'this' | 'other' | null
  /** Null = another process detects; what it finds is in `tally findings`. */
  findings: Finding[] | null
  /** Hours settled; null = another process settles. */
  settledHours: number | null
}

type LandDoors = { logger: Logger; nowMs: () => number }

/** How often to look whether another process has landed what was appended. */
const LOOK_MS = 200

/**
 * Lands what the log holds now and folds and settles what that closes. Where a running process
 * has that role, it is left to it, and this waits until the lake has come as far. When that
 * process dies meanwhile, this one takes over.
 */
export const landThrough = async (
  { place, log, site }: Stage,
  since: number,
  doors: LandDoors
): Promise<LandingReport> => {
  const landedBy = await landUntil({ place, log, site }, await eventPartitions(log), doors)
  const rows = await rowsSince(site.lake, since)
  return { rows, landedBy, ...(await workAsLeader({ place, log, site }, doors)) }
}

export type Stage = { place: SiteOptions; log: EventLog; site: LakeSite }

const landUntil = async (
  { place, log, site }: Stage,
  ends: readonly (PartitionState & { topic: string })[],
  doors: LandDoors
): Promise<LandingReport['landedBy']> => {
  if (hasReached(await site.lake.head(), ends)) return null
  const failed = new AbortController()
  const lease = await keepLease(lakeFolder(place), CONSUME_LEASE, (error) => failed.abort(error))
  let landedBy: LandingReport['landedBy'] = 'other'
  try {
    while (!hasReached(await site.lake.head(), ends)) {
      failed.signal.throwIfAborted()
      if (lease.held()) {
        await landAll(place, log, doors)
        landedBy = 'this'
      } else {
        await sleep(LOOK_MS)
      }
    }
    return landedBy
  } finally {
    await lease.release()
  }
}

/** Whether the lake holds everything below the ends of the same log. */
const hasReached = (head: Head, ends: readonly (PartitionState & { topic: string })[]): boolean =>
  ends.every(({ topic, partition, incarnation, start, end }) => {
    if (end === start) return true
    const position = head.positions.get(`${topic}/${partition}`)
    return position?.incarnation === incarnation && position.next >= end
  })

const rowsSince = async (lake: Lake, since: number): Promise<LandingReport['rows']> => {
  const { version } = await lake.head()
  const rows: LandingReport['rows'] = {}
  for (let at = since + 1; at <= version; at++) {
    const entry = await readEntry(lake.doors.files, at)
    if (entry?.commit.kind !== 'flush' && entry?.commit.kind !== 'adopt') continue
    for (const file of entry.commit.adds) rows[file.table] = (rows[file.table] ?? 0) + file.rows
  }
  return rows
}

const workAsLeader = async (
  { place, log, site }: Stage,
  { nowMs }: LandDoors
): Promise<Pick<LandingReport, 'findings' | 'settledHours'>> => {
  const failed = new AbortController()
  const lease = await keepLease(lakeFolder(place), JOBS_LEASE, (error) => failed.abort(error))
  try {
    if (!lease.held()) return { findings: null, settledHours: null }
    const findings = await detectAll(site, log, nowMs())
    const settled = await settleAll(site, log, { nowMs: nowMs() })
    failed.signal.throwIfAborted()
    return { findings, settledHours: settled.length }
  } finally {
    await lease.release()
  }
}
