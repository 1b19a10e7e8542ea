import type { LiveFile } from '../../lake/commit.ts'
import type { Engine } from '../../lake/engine.ts'
import { DAY_MS } from '../range.ts'
import { inTransaction, loadHours, type NumberedFile, type SourceFile } from './load.ts'
import { partsOf } from './parts.ts'
import { daysOf, daysSql, hoursOf, ROLLUPS, WITH_HOURS } from './rollups.ts'
import { sqlTime } from '../literal.ts'
import type { Held } from './cover.ts'
import { touches, type Span } from './spans.ts'

type Known = Span & { number: number }
export type SettledFile = SourceFile & Span

const US_PER_MS = 1000

/** The stretch of time that a file's windows lie in, in whole hours as it is settled. */
export const spanOf = ({ timeUsMin, timeUsMax }: LiveFile, unitMs: number): Span => ({
  fromMs: Math.floor((timeUsMin ?? 0) / US_PER_MS / unitMs) * unitMs,
  toMs: (Math.floor((timeUsMax ?? 0) / US_PER_MS / unitMs) + 1) * unitMs
})

/**
 * The settled part of the cube. What is gone from the lake goes at once, since an answer with it
 * would be wrong; what came is read bit by bit, the newest first, and until then answers read it
 * from its files.
 */
export class Hours {
  readonly #engine: Engine
  readonly #known = new Map<string, Known>()
  readonly #days = new Set<number>()
  readonly #rowsAtOnceMax: number
  #unread: SettledFile[] = []
  #nextNumber = 1

  private constructor(engine: Engine, rowsAtOnceMax: number) {
    this.#engine = engine
    this.#rowsAtOnceMax = rowsAtOnceMax
  }

  static async open(engine: Engine, rowsAtOnceMax: number): Promise<Hours> {
    const hours = new Hours(engine, rowsAtOnceMax)
    for (const row of await engine.rows('FROM cube.files')) {
      const number = Number(row['number'])
      const span = { fromMs: Number(row['from_ms']), toMs: Number(row['to_ms']) }
      hours.#known.set(String(row['path'] as string), { number, ...span })
      hours.#nextNumber = Math.max(hours.#nextNumber, number + 1)
    }
    for (const row of await engine.rows('FROM cube.days')) hours.#days.add(Number(row['day_ms']))
    return hours
  }

  get unread(): readonly SettledFile[] {
    return this.#unread
  }

  /** Files to be read and days to be put together. */
  get toDo(): number {
    return this.#unread.length + this.#dueDays().length
  }

  get held(): Held {
    return {
      days: [...this.#days].map((fromMs) => ({ fromMs, toMs: fromMs + DAY_MS })),
      unread: this.#unread
    }
  }

  /** Takes out what is not live any more, and notes what is new. */
  async follow(live: readonly SettledFile[]): Promise<void> {
    const paths = new Set(live.map(({ path }) => path))
    const gone = [...this.#known].filter(([path]) => !paths.has(path))
    const came = live.filter(({ path }) => !this.#known.has(path))
    this.#unread = came.sort((a, b) => b.fromMs - a.fromMs)
    const changed = [...gone.map(([, known]) => known), ...came]
    const stale = [...this.#days].filter((fromMs) =>
      changed.some((span) => touches(span, { fromMs, toMs: fromMs + DAY_MS }))
    )
    await this.#remove(
      gone.map(([, { number }]) => number),
      stale
    )
    for (const [path] of gone) this.#known.delete(path)
    for (const day of stale) this.#days.delete(day)
  }

  async #remove(files: readonly number[], days: readonly number[]): Promise<void> {
    const starts = days.map((dayMs) => sqlTime(dayMs)).join(', ')
    const sql = [
      ...(files.length === 0
        ? []
        : [
            ...WITH_HOURS.map(
              (one) => `DELETE FROM ${hoursOf(one)} WHERE file IN (${files.join(', ')})`
            ),
            `DELETE FROM cube.files WHERE number IN (${files.join(', ')})`
          ]),
      ...(days.length === 0
        ? []
        : [
            ...ROLLUPS.map((one) => `DELETE FROM ${daysOf(one)} WHERE window_start IN (${starts})`),
            `DELETE FROM cube.days WHERE day_ms IN (${days.join(', ')})`
          ])
    ]
    if (sql.length > 0) await inTransaction(this.#engine, sql)
  }

  /** Reads on by one part, or puts a day together. @returns whether there is more to do. */
  async readOn(): Promise<boolean> {
    if (this.toDo === 0) return false
    const [part] = partsOf(this.#unread, this.#rowsAtOnceMax)
    if (part !== undefined) await this.#read(part)
    else {
      const [day] = this.#dueDays()
      if (day !== undefined) await this.#putTogether(day)
    }
    if (this.toDo > 0) return true
    // Whoever is killed from here on has nothing to read again.
    await this.#engine.run('CHECKPOINT cube')
    return false
  }

  async #read(part: readonly SettledFile[]): Promise<void> {
    const numbered: NumberedFile[] = part.map((file) => ({ ...file, number: this.#nextNumber++ }))
    await loadHours(this.#engine, numbered)
    for (const { path, number, fromMs, toMs } of numbered)
      this.#known.set(path, { number, fromMs, toMs })
    const done = new Set(part.map(({ path }) => path))
    this.#unread = this.#unread.filter(({ path }) => !done.has(path))
  }

  /**
   * Days that are not put together, the newest first. The last one is still under way: it would be
   * made anew each hour.
   */
  #dueDays(): number[] {
    const dayOf = ({ fromMs }: Span): number => Math.floor(fromMs / DAY_MS) * DAY_MS
    const unread = new Set(this.#unread.map(dayOf))
    const all = [...new Set([...this.#known.values()].map(dayOf))].sort((a, b) => b - a)
    return all.slice(1).filter((dayMs) => !this.#days.has(dayMs) && !unread.has(dayMs))
  }

  async #putTogether(dayMs: number): Promise<void> {
    const where = `window_start >= ${sqlTime(dayMs)} AND window_start < ${sqlTime(dayMs + DAY_MS)}`
    const sql = [
      ...ROLLUPS.toReversed().map((rollup) => daysSql(rollup, where)),
      `INSERT INTO cube.days VALUES (${dayMs})`
    ]
    await inTransaction(this.#engine, sql)
    this.#days.add(dayMs)
  }
}
