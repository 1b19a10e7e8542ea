import type { TableName } from '../../schemas/tables.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { settledHours } from '../../services/lake/settled-hours.ts'
import { HOUR_MS } from '../../jobs/settle/closed-hours.ts'
import type { EventRow } from './memory-encoder.ts'

/** Reads the simulation's tables at any version: what `services/lake/snapshot.ts` does with views. */

export const hourOf = ({ timeMs }: Pick<EventRow, 'timeMs'>): number =>
  Math.floor(timeMs / HOUR_MS) * HOUR_MS

/** The record of a key that counts is the one that comes first in this order. */
export const isBefore = (a: EventRow, b: EventRow): boolean =>
  (a.appendMs - b.appendMs || a.partition - b.partition || a.offset - b.offset) < 0

/** Of each id the record that counts. */
export const firstOfEach = (rows: readonly EventRow[]): EventRow[] => {
  const first = new Map<string, EventRow>()
  for (const row of rows) {
    const known = first.get(row.id)
    if (known === undefined || isBefore(row, known)) first.set(row.id, row)
  }
  return [...first.values()]
}

/** Files never change, so a process reads each once. */
export class TableReader {
  readonly #lake: Lake
  readonly #known = new Map<string, readonly unknown[]>()

  constructor(lake: Lake) {
    this.#lake = lake
  }

  async file<Row>(table: TableName, path: string): Promise<readonly Row[]> {
    const place = `${table}/${path}`
    let rows = this.#known.get(place)
    if (rows === undefined) {
      const bytes = await this.#lake.doors.files.get(place)
      rows = JSON.parse(Buffer.from(bytes ?? []).toString()) as unknown[]
      this.#known.set(place, rows)
    }
    return rows as readonly Row[]
  }

  async table<Row>(head: Head, table: TableName): Promise<Row[]> {
    const rows: Row[] = []
    for (const path of head.files.get(table)?.keys() ?? []) {
      rows.push(...(await this.file<Row>(table, path)))
    }
    return rows
  }

  settled(head: Head): Promise<EventRow[]> {
    return this.table<EventRow>(head, 'events_settled')
  }

  /** Raw rows beyond what their hour was settled through. */
  async provisional(head: Head): Promise<EventRow[]> {
    return (await this.#beyond(head)).flatMap(({ rows }) => rows)
  }

  /** Versions that added such rows. */
  async openVersions(head: Head): Promise<Set<number>> {
    const open = (await this.#beyond(head)).filter(({ rows }) => rows.length > 0)
    return new Set(open.map(({ version }) => version))
  }

  async #beyond(head: Head): Promise<{ version: number; rows: EventRow[] }[]> {
    const through = new Map(settledHours(head).map((hour) => [hour.startMs, hour.through]))
    const found: { version: number; rows: EventRow[] }[] = []
    for (const { path, version } of head.files.get('events_raw')?.values() ?? []) {
      const rows = await this.file<EventRow>('events_raw', path)
      const beyond = rows.filter((row) => version > (through.get(hourOf(row)) ?? -1))
      found.push({ version, rows: beyond })
    }
    return found
  }

  /** The view `events`: what is settled, and what is beyond. */
  async visible(head: Head): Promise<EventRow[]> {
    return [...(await this.settled(head)), ...(await this.provisional(head))]
  }
}
