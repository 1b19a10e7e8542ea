import type { ColumnData } from '../lake/columns.ts'
import { TIERS } from '../rates/energy/deployment-figures.ts'
import type { Doubles, EnergyColumns } from '../rates/energy/estimate-block.ts'

export const ENERGY_COLUMNS = [
  'energy_low_uj',
  'energy_mid_uj',
  'energy_high_uj',
  'energy_tier'
] as const

/**
 * Estimates as columns that the engine takes: whole microjoules and the tier, NaN becomes null. Its
 * memory is used again: columns hold until the next `start`.
 */
export class EnergyWriter {
  #low = new Int32Array(0)
  #mid = new Int32Array(0)
  #high = new Int32Array(0)
  #tier = new Int32Array(0)
  #valid = new Uint8Array(0)
  #isWhole = true

  /** Makes room for `rows` rows; each has a value until none is written. */
  start(rows: number): void {
    this.#isWhole = true
    if (rows <= this.#tier.length) {
      this.#valid.fill(255)
      return
    }
    this.#low = new Int32Array(rows * 2)
    this.#mid = new Int32Array(rows * 2)
    this.#high = new Int32Array(rows * 2)
    this.#tier = new Int32Array(rows)
    this.#valid = new Uint8Array(Math.ceil(rows / 64) * 8).fill(255)
  }

  /** Writes the first `rows` estimates as rows from `at` on. */
  write({ low, mid, high, tier }: EnergyColumns, at: number, rows: number): void {
    put(this.#low, low, at, rows)
    put(this.#mid, mid, at, rows)
    put(this.#high, high, at, rows)
    this.#tier.set(tier.subarray(0, rows), at)
    const valid = this.#valid
    for (let row = 0; row < rows; row += 1) {
      if (!Number.isNaN(mid[row]!)) continue
      const to = at + row
      valid[to >> 3]! &= ~(1 << (to & 7))
      this.#isWhole = false
    }
  }

  columns(): Record<(typeof ENERGY_COLUMNS)[number], ColumnData> {
    const valid = this.#isWhole ? null : this.#valid
    const whole = (values: Int32Array<ArrayBuffer>): ColumnData => ({
      type: 'BIGINT',
      values,
      valid
    })
    return {
      energy_low_uj: whole(this.#low),
      energy_mid_uj: whole(this.#mid),
      energy_high_uj: whole(this.#high),
      energy_tier: { type: 'ENUM', codes: this.#tier, dictionary: TIER_DICTIONARY, valid }
    }
  }
}

export const energyColumns = (energy: EnergyColumns): ReturnType<EnergyWriter['columns']> => {
  const rows = energy.mid.length
  const writer = new EnergyWriter()
  writer.start(rows)
  writer.write(energy, 0, rows)
  return writer.columns()
}

const TIER_DICTIONARY = { values: TIERS, rank: Int32Array.from(TIERS, (_, index) => index) }
const MICROJOULES = 1e6

/** A number of 64 bits is two halves of 32; what is not known becomes 0, and is not valid. */
const put = (halves: Int32Array, joules: Doubles, at: number, rows: number): void => {
  for (let row = 0; row < rows; row += 1) {
    // Storing cuts off what is below 1, and of the low half what is above 32 bits: half more rounds.
    const value = joules[row]! * MICROJOULES + 1 / 2
    const to = (at + row) * 2
    halves[to] = value
    halves[to + 1] = value * HIGH_HALF
  }
}

/** Exact, since it is a power of 2. */
const HIGH_HALF = 2 ** -32

export const doubleColumn = (values: Doubles): ColumnData => {
  const valid = new Uint8Array(Math.ceil(values.length / 64) * 8)
  values.forEach((value, row) => {
    if (!Number.isNaN(value)) valid[row >> 3]! |= 1 << (row & 7)
  })
  return { type: 'DOUBLE', values, valid }
}
