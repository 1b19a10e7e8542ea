import type { Random } from '../worlds/random.ts'
import { pick, type Material } from './material.ts'

/**
 * Changes of documents of JSON: a value, a name or a branch at a time, so that they are still read.
 * Inputs of many lines (NDJSON, server-sent events) are changed in one line.
 */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** @returns null where the input is no JSON. */
export const mutateJson = (bytes: Buffer, material: Material): Buffer | null => {
  const text = bytes.toString()
  const whole = changed(text, material)
  if (whole !== null) return Buffer.from(whole)
  const lines = text.split('\n')
  const at = material.random.integer(0, lines.length)
  const [, prefix = '', line = ''] = /^(data: ?)?(.*)$/s.exec(lines[at]!) ?? []
  const one = changed(line, material)
  if (one === null) return null
  lines[at] = `${prefix}${one}`
  return Buffer.from(lines.join('\n'))
}

const changed = (text: string, material: Material): string | null => {
  const first = text.trimStart()[0]
  if (first !== '{' && first !== '[') return null
  const parsed = parse(text)
  return parsed === undefined ? null : JSON.stringify(changedIn(parsed, material))
}

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

type Holder = { holder: Record<string, Json>; key: string }

const changedIn = (root: Json, material: Material): Json => {
  // Inside of an object of its own, so that the document itself is a value like any other.
  const document: Record<string, Json> = { root }
  const places = placesIn(document)
  const { holder, key } = pick(material.random, places)
  const change = CHANGES[material.random.integer(0, CHANGES.length)]!
  change({ holder, key }, material, places)
  return document['root'] ?? null
}

/** Enough to choose from. */
const PLACES_MAX = 2_000

const placesIn = (document: Record<string, Json>): Holder[] => {
  const places: Holder[] = []
  const open: Json[] = [document]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    for (const [key, value] of Object.entries(next)) {
      if (places.length >= PLACES_MAX) return places
      places.push({ holder: next as Record<string, Json>, key })
      open.push(value)
    }
  }
  return places
}

const deep = (depth: number, isList: boolean): Json => {
  let value: Json = 1
  for (let level = 0; level < depth; level++) value = isList ? [value] : { a: value }
  return value
}

const VALUES: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 0.5,
  () => 1e308,
  () => 2 ** 53,
  () => '',
  () => '\u0000',
  () => '\ud800',
  () => '-1e400',
  () => '12abc',
  () => 'a'.repeat(2_000),
  () => '2026-02-30T25:61:61Z',
  () => '+275760-09-13T00:00:00.001Z',
  () => '__proto__',
  () => [],
  () => ({}),
  () => [null],
  () => ({ toString: 1, length: -1, constructor: null }),
  () => deep(70, true),
  () => deep(200, false),
  () => Array.from({ length: 300 }, () => ({}))
]

type Change = (at: Holder, material: Material, places: readonly Holder[]) => void

const CHANGES: readonly Change[] = [
  ({ holder, key }, { random }) => void (holder[key] = pick(random, VALUES)()),
  ({ holder, key }, { random, words }) => void (holder[key] = wordOf(random, words)),
  ({ holder, key }, { random }) => {
    const value = holder[key]
    if (typeof value === 'number') holder[key] = value * pick(random, [-1, 1e3, 1e6, 1e15, 1e-3])
    else holder[key] = typeof value === 'string' ? [value] : JSON.stringify(value)
  },
  ({ holder, key }) => void (Array.isArray(holder) ? holder.pop() : delete holder[key]),
  ({ holder, key }, { random, words }) => {
    const value = holder[key] ?? null
    if (Array.isArray(holder)) holder.push(value)
    // Not by assignment: that would set a prototype where a name is `__proto__`.
    else define(holder, wordOf(random, words), value)
  },
  ({ holder, key }, { random, words }) => {
    const value = holder[key] ?? null
    if (Array.isArray(holder)) return
    delete holder[key]
    define(holder, wordOf(random, words), value)
  },
  ({ holder, key }, { random }, places) => {
    const from = pick(random, places)
    const value = from.holder[from.key]
    if (value !== undefined) holder[key] = structuredClone(value)
  },
  ({ holder, key }, { other, random }) => {
    const value = parse(other().toString())
    if (value === undefined) return
    const from = pick(random, placesIn({ value }))
    holder[key] = from.holder[from.key] ?? null
  },
  ({ holder, key }) => void (holder[key] = [holder[key] ?? null]),
  ({ holder, key }) => void (holder[key] = JSON.stringify(holder[key]))
]

const define = (holder: Record<string, Json>, name: string, value: Json): void =>
  void Object.defineProperty(holder, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true
  })

const wordOf = (random: Random, words: readonly string[]): string =>
  words.length === 0 ? '__proto__' : pick(random, ['__proto__', ...words])
