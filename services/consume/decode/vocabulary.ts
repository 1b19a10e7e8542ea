import { KINDS } from '../../../schemas/event.ts'
import type { EventField } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { ColumnData, EnumValues } from '../../lake/columns.ts'
import { Dictionary, type Check } from './dictionary.ts'
import { checkLabel } from './text.ts'

const KNOWN_KINDS: ReadonlySet<string> = new Set(KINDS)

const checkKind: Check = (bytes, start, end) => {
  const kind = Buffer.from(bytes.subarray(start, end)).toString()
  if (KNOWN_KINDS.has(kind)) return
  throw new Failure('E_EVENT_INVALID', `${JSON.stringify(kind.slice(0, 80))} is no kind of step`)
}

/**
 * The dictionaries of a flush, one for each column of words, shared by all its partitions. They
 * start empty with every flush, since a file may depend on nothing but its own records.
 */
export class Vocabulary {
  readonly #dictionaries = new Map<string, Dictionary>()

  of({ column }: Pick<EventField, 'column'>): Dictionary {
    const known = this.#dictionaries.get(column)
    if (known !== undefined) return known
    const created = new Dictionary(column === 'kind' ? checkKind : checkLabel)
    this.#dictionaries.set(column, created)
    return created
  }

  /** Values behind the codes of several segments: those alone that rows refer to. */
  words(): Words {
    const used = new Map<string, Uint8Array>()
    const sorted = new Map<string, EnumValues>()
    const dictionaryOf = (name: string): Dictionary => {
      const dictionary = this.#dictionaries.get(name)
      if (dictionary === undefined) throw new Failure('E_INTERNAL', `no words in ${name}`)
      return dictionary
    }
    return {
      use: (name, codes, rows) => {
        const marks = used.get(name) ?? new Uint8Array(dictionaryOf(name).size)
        used.set(name, marks)
        markUsed(marks, codes, rows)
      },
      isUsed: (name) => used.get(name)?.includes(1) === true,
      column: (name, codes) => {
        const dictionary = dictionaryOf(name)
        const values = sorted.get(name) ?? sortValues(dictionary, used.get(name))
        sorted.set(name, values)
        if (values.values.length > ENUM_VALUES_MAX) return plain(dictionary, codes)
        return { ...codes, dictionary: values }
      }
    }
  }

  clear(): void {
    for (const dictionary of this.#dictionaries.values()) dictionary.clear()
  }
}

type Codes = Extract<ColumnData, { type: 'ENUM' }>

/**
 * The words of a flush. What a refused record or a partition that was left out brought along is not
 * among them: files depend on their own rows alone. So all codes are noted before the first column.
 */
export type Words = {
  /** Notes the values that the first rows of a column refer to. */
  use: (name: string, codes: Codes, rows: number) => void
  isUsed: (name: string) => boolean
  /** The column with its values, in byte order so that codes do not depend on arrival. */
  column: (name: string, codes: Codes) => ColumnData
}

const markUsed = (marks: Uint8Array, { codes, valid }: Codes, rows: number): void => {
  for (let row = 0; row < rows; row++) {
    const isValid = valid === null || (valid[row >> 3]! & (1 << (row & 7))) !== 0
    if (isValid) marks[codes[row]!] = 1
  }
}

/** A column of more distinct values than this gains nothing from being an enumeration. */
const ENUM_VALUES_MAX = 16_384

/** Codes turned back into strings, for a column that hardly repeats. */
const plain = (dictionary: Dictionary, { codes, valid }: Codes): ColumnData => {
  const { heap, ends: bounds } = dictionary.memory()
  const starts = new Int32Array(codes.length)
  const ends = new Int32Array(codes.length)
  codes.forEach((code, row) => {
    starts[row] = bounds[code]!
    ends[row] = bounds[code + 1]!
  })
  return { type: 'VARCHAR', text: { heap, starts, ends }, valid }
}

const NONE = new Uint8Array(0)

const sortValues = (dictionary: Dictionary, used: Uint8Array = NONE): EnumValues => {
  const codes = Array.from({ length: dictionary.size }, (_, code) => code)
  const kept = codes.filter((code) => used[code] === 1)
  const bytes = codes.map((code) => dictionary.bytesOf(code))
  kept.sort((a, b) => Buffer.compare(bytes[a]!, bytes[b]!))
  const rank = new Int32Array(codes.length)
  kept.forEach((code, place) => (rank[code] = place))
  return { values: kept.map((code) => Buffer.from(bytes[code]!).toString()), rank }
}
