import type { Head, LiveFile } from '../../lake/commit.ts'
import type { Engine } from '../../lake/engine.ts'
import type { Lake } from '../../lake/lake.ts'
import { settledHours } from '../../lake/settled-hours.ts'
import { FRESH_TABLE } from './columns.ts'
import { openHours } from './hours-file.ts'
import { ROLLUPS } from './rollups.ts'
import { isCovered } from '../relation.ts'
import { loadFresh, loadHours, type SourceFile } from './load.ts'

/**
 * The cube in hours: what dashboards ask for, kept in the engine so that no answer depends on how
 * many files the lake has. It is derived: settled windows rolled up to hours (`cube.hours`), and
 * the minutes that are not settled yet (`cube.fresh`). Following the lake from one version to
 * the next reads only the files that came; what is there afterwards is that version exactly.
 */
export class Cube {
  readonly #engine: Engine
  readonly #lake: Lake
  readonly #hourFiles = new Set<string>()
  readonly #freshFiles = new Set<string>()
  #settled = ''
  #version = -1

  private constructor(engine: Engine, lake: Lake) {
    this.#engine = engine
    this.#lake = lake
  }

  /** @param file where the hours are kept between starts; null = in memory. */
  static async open(engine: Engine, lake: Lake, file: string | null): Promise<Cube> {
    const cube = new Cube(engine, lake)
    await openHours(engine, file)
    await engine.run(`ATTACH ':memory:' AS live; ${FRESH_TABLE};
      CREATE TABLE live.settled (hour TIMESTAMPTZ, through BIGINT);
      CREATE TEMP VIEW settled_hours AS FROM live.settled`)
    const rows = await engine.rows('SELECT DISTINCT file FROM cube.hours')
    for (const row of rows) cube.#hourFiles.add(String(row['file'] as string))
    return cube
  }

  /** Takes the cube to a version of the lake. */
  async follow(head: Head): Promise<void> {
    if (head.version === this.#version) return
    await this.#followHours(head)
    await this.#followSettled(head)
    await this.#followFresh(head)
    this.#version = head.version
  }

  async #followHours(head: Head): Promise<void> {
    const live = head.files.get('windows_settled') ?? new Map<string, LiveFile>()
    const gone = [...this.#hourFiles].filter((path) => !live.has(path))
    for (const { table } of ROLLUPS) await this.#remove(table, gone)
    for (const path of gone) this.#hourFiles.delete(path)
    const came = [...live.values()].filter(({ path }) => !this.#hourFiles.has(path))
    await loadHours(
      this.#engine,
      came.map((file) => this.#source(file))
    )
    for (const { path } of came) this.#hourFiles.add(path)
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

  async #followFresh(head: Head): Promise<void> {
    const live = head.files.get('windows_raw') ?? new Map<string, LiveFile>()
    const gone = [...this.#freshFiles].filter((path) => !live.has(path))
    await this.#remove('live.fresh', gone)
    for (const path of gone) this.#freshFiles.delete(path)
    const through = new Map(settledHours(head).map((hour) => [hour.startMs, hour.through]))
    const came = [...live.values()].filter(({ path }) => !this.#freshFiles.has(path))
    const wanted = came.filter((file) => !isCovered(file, through))
    await loadFresh(
      this.#engine,
      wanted.map((file) => this.#source(file))
    )
    for (const { path } of came) this.#freshFiles.add(path)
  }

  async #remove(table: string, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return
    const list = paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')
    await this.#engine.run(`DELETE FROM ${table} WHERE file IN (${list})`)
  }

  #source(file: LiveFile): SourceFile {
    const location = this.#lake.doors.files.location(`${file.table}/${file.path}`)
    return { location, path: file.path, version: file.version, rows: file.rows }
  }
}
