import type { Head, LiveFile } from '../../lake/commit.ts'
import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { settledHours } from '../../lake/settled-hours.ts'
import { isCovered } from '../relation.ts'
import { FRESH_TABLE } from './columns.ts'
import { loadFresh } from './load.ts'
import { partsOf } from './parts.ts'

type FreshSettings = { location: (file: LiveFile) => string; rowsAtOnceMax: number }

/** The part of the cube that is not settled yet: minutes as flushes landed them, in memory. */
export class Fresh {
  readonly #engine: Engine
  readonly #location: (file: LiveFile) => string
  readonly #files = new Set<string>()
  readonly #rowsAtOnceMax: number
  #settled = ''

  private constructor(engine: Engine, { location, rowsAtOnceMax }: FreshSettings) {
    this.#engine = engine
    this.#location = location
    this.#rowsAtOnceMax = rowsAtOnceMax
  }

  static async open(engine: Engine, settings: FreshSettings): Promise<Fresh> {
    await engine.run(`ATTACH ':memory:' AS live; ${FRESH_TABLE};
      CREATE TABLE live.settled (hour TIMESTAMPTZ, through BIGINT)`)
    return new Fresh(engine, settings)
  }

  async follow(head: Head): Promise<void> {
    await this.#followSettled(head)
    const live = head.files.get('windows_raw') ?? new Map<string, LiveFile>()
    const gone = [...this.#files].filter((path) => !live.has(path))
    if (gone.length > 0)
      await this.#engine.run(
        `DELETE FROM live.fresh WHERE file IN (${gone.map(quoted).join(', ')})`
      )
    for (const path of gone) this.#files.delete(path)
    const through = new Map(settledHours(head).map((hour) => [hour.startMs, hour.through]))
    const came = [...live.values()].filter(({ path }) => !this.#files.has(path))
    const wanted = came.filter((file) => !isCovered(file, through))
    for (const part of partsOf(wanted, this.#rowsAtOnceMax))
      await loadFresh(
        this.#engine,
        part.map((file) => ({ ...file, location: this.#location(file) }))
      )
    for (const { path } of came) this.#files.add(path)
  }

  async #followSettled(head: Head): Promise<void> {
    const rows = settledHours(head).map(
      ({ startMs, through }) => `(make_timestamptz(${startMs * 1000}::BIGINT), ${through}::BIGINT)`
    )
    const values = rows.join(', ')
    if (values === this.#settled) return
    this.#settled = values
    await this.#engine.run(
      `DELETE FROM live.settled; ${rows.length === 0 ? '' : `INSERT INTO live.settled VALUES ${values};`}
       DELETE FROM live.fresh USING live.settled h
       WHERE h.hour = date_trunc('hour', fresh.window_start) AND fresh.version <= h.through`
    )
  }
}
