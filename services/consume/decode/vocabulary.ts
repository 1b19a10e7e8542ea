import { KINDS } from '../../../schemas/event.ts'
import type { EventField } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { ColumnData, EnumValues } from '../../lake/columns.ts'
import { Dictionary, hashOf, type Check } from './dictionary.ts'
import { checkLabel } from './text.ts'
import { memoryOf } from './words.ts'

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
    const created =
      column === 'kind' ? new Dictionary(checkKind, false) : new Dictionary(checkLabel, true)
    this.#dictionaries.set(column, created)
    return created
  }

  /** Values behind the codes of several segments: those alone that rows refer to. */
  words(): Words {
    const used = new Map<string, Uint8Array>()
    /** Null for a column of too many values. */
    const sorted = new Map<string, EnumValues | null>()
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
        if (!sorted.has(name)) sorted.set(name, sortValues(dictionary, used.get(name)))
        const values = sorted.get(name) ?? null
        return values === null ? plain(dictionary, codes) : { ...codes, dictionary: values }
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
  for (let row = 0; row < codes.length; row++) {
    starts[row] = bounds[codes[row]!]!
    ends[row] = bounds[codes[row]! + 1]!
  }
  return { type: 'VARCHAR', text: { heap, starts, ends }, valid }
}

const NONE = new Uint8Array(0)

/** Room for twice as many hashes as are told apart. */
const HASH_SLOTS = ENUM_VALUES_MAX * 2

/** Whether hashes alone show that there are too many values: much faster than to compare these. */
const hasTooMany = (dictionary: Dictionary, used: Uint8Array): boolean => {
  const { heap, ends } = dictionary.memory()
  const memory = memoryOf(heap)
  const slots = new Int32Array(HASH_SLOTS)
  let found = 0
  for (let code = 0; code < used.length && found <= ENUM_VALUES_MAX; code++) {
    if (used[code] === 0) continue
    // Zero means a free slot, so one hash stands for two.
    const hash = hashOf(memory, ends[code]!, ends[code + 1]!) || 1
    let slot = hash & (HASH_SLOTS - 1)
    while (slots[slot] !== 0 && slots[slot] !== hash) slot = (slot + 1) & (HASH_SLOTS - 1)
    if (slots[slot] === hash) continue
    slots[slot] = hash
    found++
  }
  return found > ENUM_VALUES_MAX
}

/** The used values in byte order; null when there are too many for an enumeration. */
const sortValues = (dictionary: Dictionary, used: Uint8Array = NONE): EnumValues | null => {
  if (dictionary.size > ENUM_VALUES_MAX && hasTooMany(dictionary, used)) return null
  // One character a byte: such strings compare as their bytes do, and much faster than buffers.
  const texts: string[] = []
  const distinct = new Set<string>()
  for (let code = 0; code < used.length; code++) {
    if (used[code] === 0) continue
    const text = Buffer.from(dictionary.bytesOf(code)).toString('latin1')
    texts[code] = text
    if (distinct.add(text).size > ENUM_VALUES_MAX) return null
  }
  const values = [...distinct].sort((a, b) => (a < b ? -1 : 1))
  const places = new Map(values.map((value, place) => [value, place]))
  const rank = new Int32Array(dictionary.size)
  texts.forEach((text, code) => (rank[code] = places.get(text)!))
  return { values: values.map((value) => Buffer.from(value, 'latin1').toString()), rank }
}
