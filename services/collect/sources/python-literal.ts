import type { JsonObject } from '../json-value.ts'

/** Deeper than any log of a server nests. */
const DEPTH_MAX = 16

/** Python's names for what JSON has words for. */
const WORDS: Readonly<Record<string, unknown>> = { None: null, True: true, False: false }

/**
 * The dictionary that Python printed at a place in a text, as an object; null when none is there.
 * Strings, numbers, None, booleans, lists, tuples and dictionaries are read.
 */
export const pythonObject = (text: string, start: number): JsonObject | null => {
  const reader = new Reader(text, start)
  try {
    const value = reader.value(0)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

class Reader {
  readonly #text: string
  #at: number

  constructor(text: string, at: number) {
    this.#text = text
    this.#at = at
  }

  value(depth: number): unknown {
    if (depth > DEPTH_MAX) throw new SyntaxError('too deep')
    const mark = this.#text[this.#at] ?? ''
    if (mark === '{') return this.#dictionary(depth)
    if (mark === '[') return this.#list(depth, ']')
    if (mark === '(') return this.#list(depth, ')')
    if (mark === "'" || mark === '"') return this.#string(mark)
    return this.#word()
  }

  #dictionary(depth: number): unknown {
    const entries: [string, unknown][] = []
    this.#at++
    while (!this.#skip('}')) {
      const key = this.value(depth + 1)
      if (typeof key === 'object' && key !== null) throw new SyntaxError('no key')
      this.#expect(':')
      entries.push([String(key), this.value(depth + 1)])
      if (!this.#skip(',') && this.#text[this.#at] !== '}') throw new SyntaxError('no comma')
    }
    return Object.fromEntries(entries)
  }

  #list(depth: number, end: string): unknown {
    const values: unknown[] = []
    this.#at++
    while (!this.#skip(end)) {
      values.push(this.value(depth + 1))
      if (!this.#skip(',') && this.#text[this.#at] !== end) throw new SyntaxError('no comma')
    }
    return values
  }

  #string(quote: string): string {
    let text = ''
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? ''
      if (character === quote) {
        this.#at++
        return text
      }
      if (character === '\\') this.#at++
      text += this.#text[this.#at] ?? ''
    }
    throw new SyntaxError('no end of string')
  }

  #word(): unknown {
    const word = /[\w.+-]*/y
    word.lastIndex = this.#at
    const found = word.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    if (Object.hasOwn(WORDS, found)) return WORDS[found]
    const number = Number(found)
    if (found === '' || Number.isNaN(number)) throw new SyntaxError('no value')
    return number
  }

  /** Whether a mark comes next, spaces aside; then it is passed. */
  #skip(mark: string): boolean {
    while (this.#text[this.#at] === ' ') this.#at++
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    while (this.#text[this.#at] === ' ') this.#at++
    return true
  }

  #expect(mark: string): void {
    if (!this.#skip(mark)) throw new SyntaxError(`no ${mark}`)
  }
}
