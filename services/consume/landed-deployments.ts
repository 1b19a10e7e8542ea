import type { ColumnData } from '../lake/columns.ts'
import { isServed } from '../rates/energy/call-sql.ts'
import type { DeploymentFigures } from '../rates/energy/deployment-figures.ts'
import { ENGINE_CURRENT_YEAR } from '../rates/energy/deployment.ts'
import { BLOCK_ROWS, type Doubles } from '../rates/energy/estimate-block.ts'
import type { KnownDeployments } from '../rates/energy/known-deployments.ts'
import { isWhole, type ColumnOf } from './landed-calls.ts'

/** Columns that decide which model ran on what. */
const COLUMNS = ['kind', 'response_model', 'gpu', 'precision', 'n_gpus'] as const
/** Whole numbers below this are codes of themselves. */
const WHOLE_MAX = 62
/** Combinations of values up to this many are found by their place, others by their text. */
const PLACES_MAX = 1 << 20

/** Which deployment served each row of one segment of a flush. */
export class LandedDeployments {
  /** Null = a step that no model serves. */
  readonly figures: (DeploymentFigures | null)[] = []
  readonly #isEmbedding: boolean[] = []
  readonly #columnOf: ColumnOf
  readonly #time: ColumnData | undefined
  readonly #parts: readonly Part[]
  readonly #known: KnownDeployments
  /** One more than the number of a combination; 0 = not seen yet. */
  readonly #places: Int32Array
  readonly #named = new Map<string, number>()

  constructor(columnOf: ColumnOf, known: KnownDeployments) {
    this.#columnOf = columnOf
    this.#known = known
    this.#time = columnOf('time')
    const columns = COLUMNS.map(columnOf).filter((column) => column !== undefined)
    const places = columns.reduce((product, column) => product * codesOf(column), 2)
    this.#places = new Int32Array(places <= PLACES_MAX ? places : 0)
    this.#parts = this.#places.length === 0 ? [] : partsOf(columns)
  }

  /** Numbers in `figures` of `rows` rows from `from` on; an embedding that tells no output has none. */
  read(from: number, rows: number, into: { deployment: Doubles; out: Doubles }): void {
    const { deployment, out } = into
    const places = this.#places
    const isEmbedding = this.#isEmbedding
    this.#addKeys(from, rows)
    for (let row = 0; row < rows; row += 1) {
      const key = keys[row]!
      let place = key >= 0 ? places[key]! : 0
      if (place === 0) {
        place = this.#numberByName(from + row) + 1
        if (key >= 0) places[key] = place
      }
      const number = place - 1
      deployment[row] = number
      const told = out[row]!
      if (told !== told && isEmbedding[number] === true) out[row] = 0
    }
  }

  /** Into `keys`: the sum of what each value counts, and 1 for the time of older software. */
  #addKeys(from: number, rows: number): void {
    if (this.#places.length === 0) {
      keys.fill(NO_PLACE, 0, rows)
      return
    }
    markOld(this.#time, from, rows)
    for (const { column, ofCode, stride } of this.#parts) {
      if (column.type === 'ENUM') addWords(column, ofCode, from, rows)
      else addWholes(column, stride, from, rows)
    }
  }

  #numberByName(row: number): number {
    const [kind, model, gpu, precision, gpuCount] = COLUMNS.map((name) =>
      valueAt(this.#columnOf(name), row)
    )
    const engineYear = ENGINE_CURRENT_YEAR - (isOld(this.#time, row) ? 1 : 0)
    const name = JSON.stringify([kind, model, gpu, precision, gpuCount, engineYear])
    const seen = this.#named.get(name)
    if (seen !== undefined) return seen
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
    const request = {
      model: text(model),
      gpu: text(gpu),
      precision: text(precision),
      gpuCount: typeof gpuCount === 'number' ? gpuCount : null,
      engineYear
    }
    this.#isEmbedding.push(kind === 'embedding')
    const number =
      this.figures.push(isServed(text(kind)) ? this.#known.figuresOf(request) : null) - 1
    this.#named.set(name, number)
    return number
  }
}

/** What a row's values come to; below 0 where one of them has no code. */
const keys = new Int32Array(BLOCK_ROWS)
/** Further below 0 than codes add up to. */
const NO_PLACE = -(2 ** 30)

/** Codes of a column: those of its values, and 0 for null. */
const codesOf = (column: ColumnData): number =>
  column.type === 'ENUM' ? column.dictionary.values.length + 1 : WHOLE_MAX + 2

type WordColumn = Extract<ColumnData, { type: 'ENUM' }>

/** A column, how much one more of its values counts, and what each of its codes counts: 0 is null. */
type Part = { column: ColumnData; stride: number; ofCode: Int32Array }

const partsOf = (columns: readonly ColumnData[]): Part[] => {
  let stride = 2
  return columns.map((column) => {
    const rank = column.type === 'ENUM' ? column.dictionary.rank : new Int32Array(0)
    const part = { column, stride, ofCode: new Int32Array(rank.length + 1) }
    rank.forEach((place, code) => (part.ofCode[code + 1] = (place + 1) * part.stride))
    stride *= codesOf(column)
    return part
  })
}

// Products with a bit, not branches: which rows have a value follows no pattern that is foreseen.
const addWords = (column: WordColumn, ofCode: Int32Array, from: number, rows: number): void => {
  const { codes, valid } = column
  if (valid === null || isWhole(valid, from, rows)) {
    for (let row = 0; row < rows; row += 1) keys[row]! += ofCode[codes[from + row]! + 1]!
    return
  }
  for (let row = 0; row < rows; row += 1) {
    const at = from + row
    const isKnown = (valid[at >> 3]! >> (at & 7)) & 1
    // Where there is no value, a code of an earlier flush may stand.
    keys[row]! += ofCode[(codes[at]! + 1) & -isKnown]!
  }
}

const addWholes = (column: ColumnData, stride: number, from: number, rows: number): void => {
  if (column.type !== 'INTEGER') {
    keys.fill(NO_PLACE, 0, rows)
    return
  }
  const { values, valid } = column
  for (let row = 0; row < rows; row += 1) {
    const at = from + row
    const isKnown = valid === null ? 1 : (valid[at >> 3]! >> (at & 7)) & 1
    const value = values[at]! & -isKnown
    if (value < 0 || value > WHOLE_MAX) keys[row] = NO_PLACE
    else keys[row]! += (value + isKnown) * stride
  }
}

const hasValue = ({ valid }: ColumnData, row: number): boolean =>
  valid === null || (valid[row >> 3]! & (1 << (row & 7))) !== 0

const markOld = (time: ColumnData | undefined, from: number, rows: number): void => {
  keys.fill(0, 0, rows)
  if (time?.type !== 'TIMESTAMP') return
  const { values } = time
  for (let row = 0; row < rows; row += 1) {
    // What arrives is of these days, but for what is brought in from an archive.
    if (values[(from + row) * 2 + 1]! <= CURRENT_HIGH) keys[row] = isOld(time, from + row) ? 1 : 0
  }
}

/** Whether an event is of the time of older serving software, the only thing its year decides. */
const isOld = (time: ColumnData | undefined, row: number): boolean => {
  if (time?.type !== 'TIMESTAMP') return false
  const high = time.values[row * 2 + 1]!
  return high <= CURRENT_HIGH && high * 2 ** 32 + (time.values[row * 2]! >>> 0) < CURRENT_US
}

const CURRENT_US = Date.UTC(ENGINE_CURRENT_YEAR) * 1000
const CURRENT_HIGH = Math.floor(CURRENT_US / 2 ** 32)

/** The value of one row: a number or a word; null where there is none. */
const valueAt = (column: ColumnData | undefined, row: number): number | string | null => {
  if (column === undefined || !hasValue(column, row)) return null
  switch (column.type) {
    case 'INTEGER':
      return column.values[row]!
    case 'ENUM':
      return column.dictionary.values[column.dictionary.rank[column.codes[row]!]!] ?? null
    case 'VARCHAR': {
      const { heap, starts, ends } = column.text
      return Buffer.from(heap.subarray(starts[row], ends[row])).toString()
    }
    default:
      return null
  }
}
