import { KINDS } from '../../../schemas/event.ts'
import type { EventField } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { EnumValues } from '../../lake/columns.ts'
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

  /** Every column's values in byte order, so that codes do not depend on the order of arrival. */
  sorted(): Map<string, EnumValues> {
    return new Map([...this.#dictionaries].map(([column, words]) => [column, sortValues(words)]))
  }

  clear(): void {
    for (const dictionary of this.#dictionaries.values()) dictionary.clear()
  }
}

const sortValues = (dictionary: Dictionary): EnumValues => {
  const codes = Array.from({ length: dictionary.size }, (_, code) => code)
  const bytes = codes.map((code) => dictionary.bytesOf(code))
  codes.sort((a, b) => Buffer.compare(bytes[a]!, bytes[b]!))
  const rank = new Int32Array(codes.length)
  codes.forEach((code, place) => (rank[code] = place))
  return { values: codes.map((code) => Buffer.from(bytes[code]!).toString()), rank }
}
