import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Logger } from 'pino'
import type { UsageEvent } from '../../../schemas/event.ts'
import type { Finding } from '../../../schemas/finding.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { eventRecord } from '../../collect/event-record.ts'
import { attach } from '../../lake/snapshot.ts'
import { detectAll, landAll, settleAll } from '../pipeline.ts'
import { openLakeSite, openLog } from '../site.ts'
import { COMPANY_AHEAD_MS, companyEvents } from './company.ts'
import { recordedEvents, type Recording } from './sessions.ts'

/** When the recorded hour is said to have been: fixed, so that each run finds the same. */
export const DEMO_START_MS = Date.parse('2026-03-02T09:00:00Z')
const PARTITIONS = 4

export type DemoPart = {
  recording: Recording
  events: number
  windows: number
  settledHours: number
  findings: Finding[]
  data: string
}

/** The recorded hour in the midst of two hours of other apps, as they would have been sent. */
const demoEvents = async (recording: Recording): Promise<UsageEvent[]> => {
  const startMs = DEMO_START_MS - COMPANY_AHEAD_MS
  const others = await companyEvents(startMs, { isTroubled: recording === 'shifted' })
  const events = [...(await recordedEvents(recording, DEMO_START_MS)), ...others]
  return events.sort((a, b) => Date.parse(a.time) - Date.parse(b.time))
}

export type DemoDoors = {
  logger: Logger
  nowMs: () => number
  /** Ends the work after the stage that runs. */
  signal?: AbortSignal
}

/** Sends one recording through the whole pipeline, into a folder of its own. */
export const runRecording = async (
  folder: string,
  recording: Recording,
  doors: DemoDoors
): Promise<DemoPart> => {
  const data = path.join(folder, recording)
  await rm(data, { recursive: true, force: true })
  const log = openLog({ data })
  try {
    const events = await demoEvents(recording)
    await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
    await log.append(EVENTS_TOPIC, events.map(eventRecord))
    await landAll({ data }, log, doors)
    doors.signal?.throwIfAborted()
    const site = await openLakeSite({ data })
    try {
      const findings = await detectAll(site, log, doors.nowMs())
      doors.signal?.throwIfAborted()
      const settled = await settleAll(site, log, { nowMs: doors.nowMs() })
      await attach(site, await site.lake.head())
      const [count] = await site.engine.rows('SELECT count(*) AS n FROM temp.windows')
      return {
        recording,
        events: events.length,
        windows: Number(count?.['n']),
        settledHours: settled.length,
        findings,
        data
      }
    } finally {
      site.close()
    }
  } finally {
    await log.close()
  }
}
