import type { LiveFile } from '../../lake/commit.ts'
import type { Engine } from '../../lake/engine.ts'
import { Composed, type Block } from './composed.ts'
import { inTransaction, loadHours, type NumberedFile, type SourceFile } from './load.ts'
import { partsOf } from './parts.ts'
import { rollupsWith, tableOf, type Rollup } from './rollups.ts'
import type { Held } from './cover.ts'
import type { Span } from './spans.ts'

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
  readonly #composed: Composed
  readonly #rowsAtOnceMax: number
  #unread: SettledFile[] = []
  #nextNumber = 1

  private constructor(engine: Engine, composed: Composed, rowsAtOnceMax: number) {
    this.#engine = engine
    this.#composed = composed
    this.#rowsAtOnceMax = rowsAtOnceMax
  }

  static async open(engine: Engine, rowsAtOnceMax: number): Promise<Hours> {
    const hours = new Hours(engine, await Composed.open(engine), rowsAtOnceMax)
    for (const row of await engine.rows('FROM cube.files')) {
      const number = Number(row['number'])
      const span = { fromMs: Number(row['from_ms']), toMs: Number(row['to_ms']) }
      hours.#known.set(String(row['path'] as string), { number, ...span })
      hours.#nextNumber = Math.max(hours.#nextNumber, number + 1)
    }
    return hours
  }

  get unread(): readonly SettledFile[] {
    return this.#unread
  }

  /** Files to be read and blocks to be put together. */
  get toDo(): number {
    return this.#unread.length + this.#due().length
  }

  heldOf(rollup: Rollup): Held {
    return { blocks: this.#composed.spansOf(rollup), unread: this.#unread }
  }

  /** Takes out what is not live any more, and notes what is new. */
  async follow(live: readonly SettledFile[]): Promise<void> {
    const paths = new Set(live.map(({ path }) => path))
    const gone = [...this.#known].filter(([path]) => !paths.has(path))
    const came = live.filter(({ path }) => !this.#known.has(path))
    this.#unread = came.sort((a, b) => b.fromMs - a.fromMs)
    const changed = [...gone.map(([, known]) => known), ...came]
    const stale = this.#composed.stale(changed)
    const numbers = gone.map(([, { number }]) => number)
    const sql = [...removalSql(numbers), ...this.#composed.removalSql(stale)]
    if (sql.length > 0) await inTransaction(this.#engine, sql)
    for (const [path] of gone) this.#known.delete(path)
    this.#composed.forget(stale)
  }

  /** Reads on by one part, or puts a block together. @returns whether there is more to do. */
  async readOn(): Promise<boolean> {
    if (this.toDo === 0) return false
    const [part] = partsOf(this.#unread, this.#rowsAtOnceMax)
    if (part !== undefined) await this.#read(part)
    else {
      const [block] = this.#due()
      if (block !== undefined) await this.#composed.putTogether(block)
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

  #due(): Block[] {
    return this.#composed.due(this.#known.values(), this.#unread)
  }
}

/** Statements that take out what came from files. */
const removalSql = (files: readonly number[]): string[] =>
  files.length === 0
    ? []
    : [
        ...rollupsWith('hours').map(
          (one) => `DELETE FROM ${tableOf(one, 'hours')} WHERE file IN (${files.join(', ')})`
        ),
        `DELETE FROM cube.files WHERE number IN (${files.join(', ')})`
      ]
