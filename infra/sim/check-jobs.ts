import assert from 'node:assert/strict'
import { FOLDED_UNTIL_KEY } from '../../jobs/detect/detect.ts'
import type { FindingRow } from '../../schemas/incidents.ts'
import type { Head } from '../../services/lake/commit.ts'
import { EMPTY_FOLD, foldEntries, type Entry } from '../../services/lake/head.ts'
import { settledHours } from '../../services/lake/settled-hours.ts'
import type { EventRow } from './memory-encoder.ts'
import { firstOfEach, type TableReader } from './rows.ts'
import { findingOf, minutesOf, TALLIES, toldBy, type Part } from './tally-fold.ts'
import type { World } from './world.ts'

/** The lake after each of its commits, oldest first. */
export const headsOf = (entries: readonly Entry[]): Head[] => {
  let fold = EMPTY_FOLD
  return entries.map((entry) => (fold = foldEntries(fold, [entry])).head)
}

/** A truncated log gives an offset again, to another record. */
const recordOf = ({ incarnation, partition, offset, id, appendMs }: EventRow): string =>
  [incarnation, partition, offset, id, appendMs].join('/')

/**
 * What settling promises: at every version each event that was landed is there, and no record more
 * often than it was landed; an hour never goes back; and in the end what is settled is exactly what
 * was landed, each id once.
 */
export const checkSettling = async (
  world: World,
  entries: readonly Entry[],
  reader: TableReader
): Promise<void> => {
  const landed: EventRow[] = []
  const through = new Map<number, number>()
  let settled: EventRow[] = []
  for (const [index, head] of headsOf(entries).entries()) {
    for (const { table, path } of entries[index]!.commit.adds) {
      if (table === 'events_raw') landed.push(...(await reader.file<EventRow>(table, path)))
    }
    const visible = await reader.visible(head)
    checkView(visible, landed, head.version)
    for (const hour of settledHours(head)) {
      assert.ok(hour.through >= (through.get(hour.startMs) ?? -1), 'an hour went back')
      through.set(hour.startMs, hour.through)
    }
    settled = visible
  }
  assert.deepEqual(byId(settled), byId(firstOfEach(landed)), 'settled is not what was landed')
  for (const { id, tokens } of settled) {
    assert.ok(world.ledger.get(id)?.includes(tokens), `${id} has ${tokens} tokens that nobody sent`)
  }
}

const checkView = (
  visible: readonly EventRow[],
  landed: readonly EventRow[],
  version: number
): void => {
  const ids = new Set(visible.map(({ id }) => id))
  const gone = landed.find(({ id }) => !ids.has(id))
  assert.equal(gone?.id, undefined, `an event went at version ${version}`)
  const left = new Map<string, number>()
  for (const record of landed.map(recordOf)) left.set(record, (left.get(record) ?? 0) + 1)
  for (const record of visible.map(recordOf)) {
    const copies = left.get(record) ?? 0
    assert.ok(copies > 0, `${record} is there once more than it was landed at version ${version}`)
    left.set(record, copies - 1)
  }
}

const byId = (rows: readonly EventRow[]): string[] =>
  rows.map((row) => `${recordOf(row)} ${row.tokens}`).sort()

/**
 * What detection promises: findings are those of a fold that was never disturbed, over the versions
 * that were read; none is there twice or missing, and minutes follow on one another.
 */
export const checkDetection = async (
  entries: readonly Entry[],
  reader: TableReader
): Promise<void> => {
  const heads = headsOf(entries)
  const tally = { minutes: 0, tokens: 0 }
  let fromMs = -Infinity
  let versionBefore = -1
  let sequence = 1
  let rows: FindingRow[] = []
  for (const { version, commit } of entries) {
    if (commit.kind !== 'detect') continue
    for (const { table, path } of commit.adds) {
      if (table === 'findings') rows.push(...(await reader.file<FindingRow>(table, path)))
    }
    const until = commit.state[FOLDED_UNTIL_KEY]
    // Findings without a place wait for one that takes them in: it will not, after a crash.
    if (until === undefined) continue
    const untilMs = Number(until)
    assert.ok(untilMs >= fromMs, `version ${version} folds to ${untilMs}, behind ${fromMs}`)
    const before = { fromMs, untilMs, version: versionBefore }
    const parts =
      rows[0] === undefined
        ? [await leastOf(reader, heads.slice(0, version), before)]
        : toldBy(rows[0]).parts
    checkParts(parts, { fromMs, untilMs, version })
    const visible: EventRow[] = []
    for (const part of parts) {
      if (part.version >= 0) visible.push(...(await rowsOf(reader, heads[part.version]!, part)))
    }
    const wanted = minutesOf(visible, { fromMs, untilMs }).flatMap(([startMs, tokens]) => {
      tally.minutes += 1
      tally.tokens += tokens
      return TALLIES.map((id) => findingOf(id, startMs, { ...tally, parts }))
    })
    const found = rows.map(({ finding }) => finding)
    assert.deepEqual(
      found,
      wanted.map((one) => JSON.stringify(one)),
      `findings of version ${version}`
    )
    for (const row of rows) assert.equal(row.sequence, sequence++, 'a sequence is missing or twice')
    rows = []
    fromMs = untilMs
    versionBefore = version
  }
}

/**
 * Without a finding nobody knows which version was read: one since the last step, in which the stretch
 * was empty where there is such a one. Settling may have found that what was there is a repeat.
 */
const leastOf = async (
  reader: TableReader,
  heads: readonly Head[],
  before: Part
): Promise<Part> => {
  for (let version = Math.max(0, before.version); version < heads.length; version++) {
    const part = { ...before, version }
    if ((await rowsOf(reader, heads[version]!, part)).length === 0) return part
  }
  return before
}

const rowsOf = async (reader: TableReader, head: Head, part: Part): Promise<EventRow[]> =>
  (await reader.visible(head)).filter(
    ({ timeMs }) => timeMs >= part.fromMs && timeMs < part.untilMs
  )

/** Parts follow on one another and are all of the stretch; the first stretch begins anywhere. */
const checkParts = (parts: readonly Part[], { fromMs, untilMs, version }: Part): void => {
  const what = `findings of version ${version}: time was left out or read twice`
  let reachedMs = fromMs
  for (const part of parts) {
    assert.ok(part.fromMs === reachedMs || reachedMs === -Infinity, what)
    reachedMs = part.untilMs
  }
  assert.equal(reachedMs, untilMs, what)
}
