import { Failure } from '../../../schemas/failure.ts'
import type { Head, LiveFile } from '../../lake/commit.ts'
import type { Engine } from '../../lake/engine.ts'
import type { Lake } from '../../lake/lake.ts'
import { HOUR_MS, type Range } from '../range.ts'
import { cellsSql } from './cells.ts'
import { coverOf, longestOf } from './cover.ts'
import { openCubeFile } from './cube-file.ts'
import { Fresh } from './fresh.ts'
import { Hours, spanOf, type SettledFile } from './hours.ts'
import { CUBE_LIMITS, type CubeLimits } from './limits.ts'
import { rollupFor } from './rollups.ts'
import { touches } from './spans.ts'

export type Question = {
  sql: string
  range: Range
  /** Dimensions that it needs whatever its text. */
  always: readonly string[]
  /** See `longestOf`. */
  stepS: number | null | undefined
}

/**
 * What dashboards ask for, kept in the engine so that no answer depends on how many files the lake
 * has. It is derived: settled windows in hours and longer blocks (`Hours`), and the minutes that are not
 * settled yet (`Fresh`). Following the lake reads only the files that came, and what is there
 * afterwards is one version exactly: what the cube has not read yet, answers read from the files.
 */
export class Cube {
  readonly #engine: Engine
  readonly #lake: Lake
  readonly #hours: Hours
  readonly #fresh: Fresh
  readonly #leave: () => Promise<void>
  readonly #limits: CubeLimits
  #settled: SettledFile[] = []
  #version = -1

  private constructor(engine: Engine, lake: Lake, parts: Parts) {
    this.#engine = engine
    this.#lake = lake
    this.#hours = parts.hours
    this.#fresh = parts.fresh
    this.#leave = parts.leave
    this.#limits = parts.limits
  }

  /** @param file where the cube is kept between starts; null = in memory. */
  static async open(
    engine: Engine,
    lake: Lake,
    { file, limits = CUBE_LIMITS }: { file: string | null; limits?: CubeLimits }
  ): Promise<Cube> {
    const { rowsAtOnceMax } = limits
    const location = (one: LiveFile): string => locationOf(lake, one)
    const leave = await openCubeFile(engine, file)
    const fresh = await Fresh.open(engine, { location, rowsAtOnceMax })
    const hours = await Hours.open(engine, rowsAtOnceMax)
    return new Cube(engine, lake, { leave, fresh, hours, limits })
  }

  /** Takes the cube to a version of the lake. */
  async follow(head: Head): Promise<void> {
    if (head.version === this.#version) return
    const live = [...(head.files.get('windows_settled')?.values() ?? [])]
    this.#settled = live.map((file) => ({
      location: locationOf(this.#lake, file),
      path: file.path,
      rows: file.rows,
      ...spanOf(file, HOUR_MS)
    }))
    await this.#hours.follow(this.#settled)
    await this.#fresh.follow(head)
    this.#version = head.version
    if (rowsOf(this.#hours.unread) <= this.#limits.rowsFirstMax)
      while (this.#hours.unread.length > 0) await this.readOn()
  }

  /** Hours still to be read and longer blocks still to be put together. */
  get toDo(): number {
    return this.#hours.toDo
  }

  /** Does a part of what is to be done. @returns whether there is more. */
  readOn(): Promise<boolean> {
    return this.#hours.readOn()
  }

  /**
   * The cube as one relation, whose columns have the names of the lake's view `windows`.
   * @throws Failure E_WARMING when too much of the range is not read yet.
   */
  async relation({ sql, range, always, stepS }: Question): Promise<string> {
    const rollup = rollupFor(sql, always)
    const cover = coverOf(range, longestOf(range, stepS), this.#hours.heldOf(rollup))
    const files = this.#settled.filter((file) => cover.minutes.some((span) => touches(file, span)))
    this.#check(files)
    return cellsSql(this.#engine, { cover, range, rollup, files })
  }

  #check(files: readonly SettledFile[]): void {
    const unread = new Set(this.#hours.unread.map(({ path }) => path))
    const rows = rowsOf(files.filter(({ path }) => unread.has(path)))
    if (rows <= this.#limits.rowsDirectMax) return
    const all = this.#settled.length
    throw new Failure(
      'E_WARMING',
      `${all - unread.size} of ${all} settled hours are read, the newest first; this range needs others`,
      { hint: 'Ask again in a moment, or for a shorter range up to now.', retriable: true }
    )
  }

  close(): Promise<void> {
    return this.#leave()
  }
}

type Parts = { hours: Hours; fresh: Fresh; leave: () => Promise<void>; limits: CubeLimits }

const rowsOf = (files: readonly { rows: number }[]): number =>
  files.reduce((sum, { rows }) => sum + rows, 0)

const locationOf = (lake: Lake, { table, path }: LiveFile): string =>
  lake.doors.files.location(`${table}/${path}`)
