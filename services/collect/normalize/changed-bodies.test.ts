import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { absent, lines, sample, whole, type UsageLine } from './fixtures/recordings.ts'
import { normalize, type Normalized } from './normalize.ts'

/**
 * Recorded bodies, changed as providers and gateways change them over time, and with nothing said
 * about where they come from: what the counts do not depend on changes none of them, and what they
 * do depend on never changes one without a word.
 */
type Json = Record<string, unknown>

const BODIES = lines<UsageLine>(
  absent === false ? whole('provider-usage/usages.jsonl.gz') : sample('usages.ndjson')
)

const FIELDS = ['in_total', 'out_total', 'in_cache_read'] as const
const countsOf = ({ tokens }: Normalized): (number | null)[] => FIELDS.map((name) => tokens[name])

/** A copy with every object and value of it passed through. */
const changed = (value: unknown, change: (holder: Json, key: string) => void): unknown => {
  const copy = structuredClone(value)
  const visit = (holder: unknown): void => {
    if (typeof holder !== 'object' || holder === null) return
    for (const key of Object.keys(holder)) {
      visit((holder as Json)[key])
      change(holder as Json, key)
    }
  }
  visit(copy)
  return copy
}

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toReversed()
  return Object.fromEntries(entries.map(([key, one]) => [key, reversed(one)]))
}

const NEUTRAL: Readonly<Record<string, (body: Json) => unknown>> = {
  'unknown fields': (body) => ({ ...body, new_thing: { of: 1 }, another: 5 }),
  'an unknown word in the block': (body) =>
    changed(body, (holder, key) => {
      if (/usage/i.test(key) && typeof holder[key] === 'object' && holder[key] !== null) {
        Object.assign(holder[key], { new_word: 'x' })
      }
    }),
  'its fields in another order': reversed,
  'counts as text': (body) =>
    changed(body, (holder, key) => {
      if (typeof holder[key] === 'number') holder[key] = String(holder[key])
    })
}

describe('a recorded body', () => {
  for (const [name, change] of Object.entries(NEUTRAL)) {
    test(`with ${name} counts the same`, () => {
      for (const { body } of BODIES) {
        const wanted = countsOf(normalize({ body }))
        const seen = countsOf(normalize({ body: change(body) }))
        assert.deepEqual(seen, wanted, JSON.stringify(body))
      }
    })
  }

  test('of a model that nobody knows counts the same, or says that it can not tell', () => {
    for (const { body } of BODIES) {
      const renamed = changed(body, (holder, key) => {
        if (/^model(?:Version)?$/.test(key)) holder[key] = 'new-model-9'
      })
      const read = normalize({ body: renamed })
      const isSame = String(countsOf(read)) === String(countsOf(normalize({ body })))
      assert.ok(isSame || read.warnings.length > 0, JSON.stringify(body))
    }
  })

  test('without one of its counts never has another count in its place without a word', () => {
    const silent = BODIES.reduce((sum, { body }) => sum + silentChanges(body), 0)
    // Gemini behind an OpenAI front thinks outside of its counts, and only its total tells so; and
    // input beside a cache that was read and not written is whole without that count.
    assert.ok(silent <= SILENT_MAX, `${silent} changed without a word`)
  })
})

/** Changes of a body after which a count is another one, and nothing is said about it. */
const silentChanges = (body: Json): number => {
  const wanted = countsOf(normalize({ body }))
  const changes = numbersOf(body).flatMap((path) => [
    withValue(body, path, undefined),
    withValue(body, path, null)
  ])
  return changes.filter((one) => {
    const read = normalize({ body: one })
    const isOther = countsOf(read).some((count, at) => count !== null && count !== wanted[at])
    return isOther && read.warnings.length === 0
  }).length
}

/** Blocks from which the one number was taken that told; of 12,194 changes. */
const SILENT_MAX = 6

const numbersOf = (value: unknown, path: string[] = []): string[][] => {
  if (typeof value === 'number') return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => numbersOf(one, [...path, key]))
}

const withValue = (body: Json, path: readonly string[], value: unknown): Json => {
  const copy = structuredClone(body)
  const last = path.at(-1) ?? ''
  let holder: Json = copy
  for (const key of path.slice(0, -1)) holder = holder[key] as Json
  if (value === undefined) delete holder[last]
  else holder[last] = value
  return copy
}
