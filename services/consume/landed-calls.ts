import type { ColumnData } from '../lake/columns.ts'
import { COMPUTED_INPUT } from '../rates/energy/call-sql.ts'
import { BLOCK_ROWS, type Doubles } from '../rates/energy/estimate-block.ts'
import { perToken } from '../rates/energy/inter-token.ts'

/** A column of a flush by its name; undefined where no row has a value. */
export type ColumnOf = (name: string) => ColumnData | undefined

const block = (): Doubles => new Float64Array(BLOCK_ROWS)

/**
 * What estimates read of the calls of a flush, a block at a time, by the rules that `call-sql.ts` has
 * in SQL; NaN is not known. The memory is one block's, used again and again.
 */
export class LandedCalls {
  readonly uncached = block()
  readonly cached = block()
  /** An output that is not told is 0 for an embedding: that is left to who knows the kind. */
  readonly out = block()
  readonly concurrency = block()
  readonly interTokenMs = block()
  /** Which deployment served each: left to who knows the deployments. */
  readonly deployment = block()
  readonly #one = block()
  readonly #two = block()
  readonly #three = block()

  /** Reads `rows` rows from `from` on, which is a multiple of the block's rows. */
  read(columnOf: ColumnOf, from: number, rows: number): void {
    const at = { from, rows }
    copy(columnOf('concurrency'), at, this.concurrency)
    copy(columnOf('in_cache_read'), at, this.cached)
    sum(COMPUTED_INPUT.map(columnOf), at, this.uncached)
    this.#raiseToTotal(columnOf, at)
    this.#readOut(columnOf, at)
    this.#readLatency(columnOf, at)
  }

  /** Who tells the total alone has told what was computed: all that was not read from a cache. */
  #raiseToTotal(columnOf: ColumnOf, at: Rows): void {
    const total = columnOf('in_total')
    if (total === undefined) return
    const { uncached, cached } = this
    const totals = this.#one
    const bare = this.#two
    copy(total, at, totals)
    copy(columnOf('in_uncached'), at, bare)
    for (let row = 0; row < at.rows; row += 1) {
      if (!Number.isNaN(bare[row]!)) continue
      const rest = totals[row]! - (cached[row]! || 0)
      if (rest > 0 && !(uncached[row]! >= rest)) uncached[row] = rest
    }
  }

  #readOut(columnOf: ColumnOf, at: Rows): void {
    const { out } = this
    sum([columnOf('out_text'), columnOf('out_reasoning')], at, out)
    const total = columnOf('out_total')
    if (total === undefined) return
    const totals = this.#one
    copy(total, at, totals)
    for (let row = 0; row < at.rows; row += 1) {
      if (!Number.isNaN(totals[row]!)) out[row] = totals[row]!
    }
  }

  #readLatency(columnOf: ColumnOf, at: Rows): void {
    const { out, interTokenMs } = this
    const durationMs = this.#one
    const ttftMs = this.#two
    const reasoning = this.#three
    copy(columnOf('duration_ms'), at, durationMs)
    copy(columnOf('ttft_ms'), at, ttftMs)
    copy(columnOf('out_reasoning'), at, reasoning)
    for (let row = 0; row < at.rows; row += 1) {
      interTokenMs[row] = perToken(durationMs[row]!, ttftMs[row]!, out[row]!, reasoning[row]!)
    }
  }
}

type Rows = { from: number; rows: number }

/** Whether all of `rows` rows from `from` on have a value; `from` is a multiple of eight. */
export const isWhole = (valid: Uint8Array, from: number, rows: number): boolean => {
  const end = (from + rows) >> 3
  for (let at = from >> 3; at < end; at += 1) if (valid[at] !== 255) return false
  const rest = (1 << (rows & 7)) - 1
  return ((valid[end] ?? 0) & rest) === rest
}

const copy = (column: ColumnData | undefined, { from, rows }: Rows, into: Doubles): void => {
  if (column?.type !== 'INTEGER' && column?.type !== 'DOUBLE') {
    into.fill(Number.NaN)
    return
  }
  const { values, valid } = column
  for (let row = 0; row < rows; row += 1) into[row] = values[from + row]!
  if (valid === null || isWhole(valid, from, rows)) return
  for (let row = 0; row < rows; row += 1) {
    if ((valid[(from + row) >> 3]! & (1 << (row & 7))) === 0) into[row] = Number.NaN
  }
}

const added = block()

/** Sums of what is known; NaN where nothing is. */
const sum = (columns: readonly (ColumnData | undefined)[], at: Rows, into: Doubles): void => {
  const [first, ...others] = columns.filter((column) => column !== undefined)
  copy(first, at, into)
  for (const column of others) {
    copy(column, at, added)
    for (let row = 0; row < at.rows; row += 1) {
      const value = added[row]!
      if (!Number.isNaN(value)) into[row] = Number.isNaN(into[row]!) ? value : into[row]! + value
    }
  }
}
