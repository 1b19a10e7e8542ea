import assert from 'node:assert/strict'
import { TABLES, type TableName } from '../../schemas/tables.ts'
import type { Head } from '../../services/lake/commit.ts'
import { EMPTY_FOLD, foldEntries, type Entry } from '../../services/lake/head.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { readEntry } from '../../services/lake/ranges-log.ts'
import { deltaPaths, headPaths } from '../../services/lake/scratch-lake.ts'
import { scrub } from '../../services/lake/scrub.ts'
import type { EventRow, GapRow } from './memory-encoder.ts'
import { checkDetection, checkSettling } from './check-jobs.ts'
import { TableReader } from './rows.ts'
import type { LostRecord } from './log.ts'
import type { World } from './world.ts'

/**
 * What must hold when all is over, judged by what senders and consumers were told and by the files
 * alone: nothing acknowledged is lost unsaid, nothing is there twice, tables agree with the log of
 * commits, and no promise of a commit was taken back.
 * @returns all commits.
 */
export const check = async (world: World, lake: Lake): Promise<Entry[]> => {
  const head = await lake.head()
  const entries = await checkTables(lake, head)
  const reader = new TableReader(lake)
  const events = await landedEvents(entries, reader)
  const gaps = await reader.table<GapRow>(head, 'gaps')
  checkNothingLost(world, events, gaps)
  if (!world.isLossy) checkNothingDoubled(events, gaps)
  checkTold(world, events, gaps)
  await checkSettling(world, entries, reader)
  await checkDetection(entries, reader)
  return entries
}

const checkTables = async (lake: Lake, head: Head): Promise<Entry[]> => {
  const { files } = lake.doors
  const entries: Entry[] = []
  for (let version = 0; version <= head.version; version++) {
    const entry = await readEntry(files, version)
    assert.ok(entry, `version ${version} is in the log`)
    entries.push(entry)
  }
  assert.deepEqual(head, foldEntries(EMPTY_FOLD, entries).head, 'the head is the fold of the log')
  for (const table of Object.keys(TABLES) as TableName[]) {
    assert.deepEqual(await deltaPaths(files, table), headPaths(head, table), `table ${table}`)
  }
  assert.deepEqual((await scrub(lake.doors.files)).damages, [], 'files are what their commits say')
  return entries
}

/** All raw rows that were ever landed, also those whose files settling has let go. */
const landedEvents = async (
  entries: readonly Entry[],
  reader: TableReader
): Promise<EventRow[]> => {
  const rows: EventRow[] = []
  for (const { table, path } of entries.flatMap(({ commit }) => commit.adds)) {
    if (table === 'events_raw') rows.push(...(await reader.file<EventRow>(table, path)))
  }
  return rows
}

/** Each acknowledged event is a row, or the log lost it and a gap of its partition says so. */
const checkNothingLost = (world: World, events: EventRow[], gaps: GapRow[]): void => {
  const landed = new Set(events.map(({ id }) => id))
  const lost = new Map(world.log.lost.map((one) => [one.id, one]))
  for (const id of world.acknowledged) {
    if (landed.has(id) || world.unnoticeable.has(id)) continue
    const record = lost.get(id)
    assert.ok(record !== undefined, `${id} was acknowledged and is neither landed nor lost`)
    if (isTakenForLanded(world, record)) continue
    const { partition } = record
    const isSaid = gaps.some((gap) => gap.partition === partition)
    assert.ok(isSaid, `the log lost ${id} of partition ${partition} and no gap says so`)
  }
}

/**
 * A record at the offset of one that was landed and then cut off, gone by retention before anybody
 * looked again: the anchor went with it. Kafka's history of leaders would tell; we don't ask it.
 */
const isTakenForLanded = ({ log, told }: World, { how, partition, offset }: LostRecord): boolean =>
  how === 'trimmed' &&
  log.lost.some(
    (one) => one.how === 'truncated' && one.partition === partition && one.offset === offset
  ) &&
  told.some((one) => one.partition === partition && one.next > offset)

const checkNothingDoubled = (events: EventRow[], gaps: GapRow[]): void => {
  const places = events.map(
    ({ incarnation, partition, offset }) => `${incarnation}/${partition}/${offset}`
  )
  assert.equal(new Set(places).size, places.length, 'a record was landed twice')
  assert.deepEqual(gaps, [], 'a gap where nothing was lost')
}

const checkTold = ({ told, log }: World, events: EventRow[], gaps: GapRow[]): void => {
  for (const { partition, next, incarnation } of told) {
    const isLanded = events.some(
      (row) =>
        row.partition === partition && row.incarnation === incarnation && row.offset === next - 1
    )
    const isGap = gaps.some((gap) => gap.partition === partition)
    assert.ok(
      isLanded || isGap || incarnation === undefined,
      `a landed record went: ${log.topic}/${partition} at ${next - 1}`
    )
  }
}
