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

  /** The values as they are now, ready to stand behind the codes of several segments. */
  words(): Words {
    const sorted = new Map<string, EnumValues>()
    return {
      column: (name, codes) => {
        const dictionary = this.#dictionaries.get(name)
        if (dictionary === undefined) throw new Failure('E_INTERNAL', `no words in ${name}`)
        if (dictionary.size > ENUM_VALUES_MAX) return plain(dictionary, codes)
        const values = sorted.get(name) ?? sortValues(dictionary)
        sorted.set(name, values)
        return { ...codes, dictionary: values }
      }
    }
  }

  clear(): void {
    for (const dictionary of this.#dictionaries.values()) dictionary.clear()
  }
}

type Codes = Extract<ColumnData, { type: 'ENUM' }>

export type Words = {
  /** The column with its values, in byte order so that codes do not depend on arrival. */
  column: (name: string, codes: Codes) => ColumnData
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

const sortValues = (dictionary: Dictionary): EnumValues => {
  const codes = Array.from({ length: dictionary.size }, (_, code) => code)
  const bytes = codes.map((code) => dictionary.bytesOf(code))
  codes.sort((a, b) => Buffer.compare(bytes[a]!, bytes[b]!))
  const rank = new Int32Array(codes.length)
  codes.forEach((code, place) => (rank[code] = place))
  return { values: codes.map((code) => Buffer.from(bytes[code]!).toString()), rank }
}
