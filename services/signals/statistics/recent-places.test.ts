import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { identityOf } from './identity.ts'
import {
  clearIdentities,
  createIdentityMap,
  fromIdentityPairs,
  getIdentity,
  identityPairs,
  setIdentity
} from './identity-map.ts'
import {
  createPlaces,
  dropIdlePlaces,
  NO_PLACE,
  placeOf,
  placesInLine,
  touchPlace
} from './recent-places.ts'
import { createRecent, dropIdle, remember } from './recent.ts'

const MAX = 24
const IDLE_MS = 40

/** Identities that meet in the table: their low bits are alike. */
const identities = fc.nat({ max: 60 }).map((n) => (n % 7) * 2 ** 40 + (n % 9) * 64 + (n % 3))
const steps = fc.array(
  fc.record({ identity: identities, passed: fc.nat({ max: 6 }), drops: fc.boolean() }),
  { minLength: 100, maxLength: 400 }
)

test('places follow what a plain map of the latest would remember, in the same order', () => {
  fc.assert(
    fc.property(steps, (played) => {
      const plain = createRecent<{ lastMs: number; value: number }>(MAX, IDLE_MS)
      const places = createPlaces(MAX, IDLE_MS)
      const values: number[] = []
      let ms = 0
      for (const [value, { identity, passed, drops }] of played.entries()) {
        ms += passed
        remember(plain, String(identity), { lastMs: ms, value })
        values[touchPlace(places, identity, ms)] = value
        if (!drops) continue
        const gone: number[] = []
        dropIdlePlaces(places, ms, (from, to) => {
          gone.push(values[to]!)
          values[to] = values[from]!
        })
        assert.deepEqual(
          gone,
          dropIdle(plain, ms).map(([, entry]) => entry.value)
        )
      }
      const line = [...placesInLine(places)].map((place) => [
        String(places.identities[place]),
        { lastMs: places.lastMs[place], value: values[place] }
      ])
      assert.deepEqual(line, [...plain.entries])
      for (let n = 0; n <= 60; n++) {
        const identity = (n % 7) * 2 ** 40 + (n % 9) * 64 + (n % 3)
        const isKnown = placeOf(places, identity) !== NO_PLACE
        assert.equal(isKnown, plain.entries.has(String(identity)))
      }
    }),
    { seed: 11, numRuns: 200 }
  )
})

test('a map of identities holds what was set last, however often it grows or is saved', () => {
  const plain = new Map<number, number>()
  const map = createIdentityMap()
  for (let n = 0; n < 5000; n++) {
    const identity = identityOf(`step ${n % 3001}`)
    plain.set(identity, n)
    setIdentity(map, identity, n)
  }
  for (const one of [map, fromIdentityPairs(identityPairs(map))]) {
    assert.equal(one.size, plain.size)
    for (const [identity, value] of plain) assert.equal(getIdentity(one, identity), value)
    assert.equal(getIdentity(one, identityOf('another')), undefined)
  }
})

test('a map of identities that was cleared holds nothing, and in the end no room either', () => {
  const map = createIdentityMap()
  const room = map.identities.length
  for (let n = 0; n < 5000; n++) setIdentity(map, identityOf(`step ${n}`), n)
  const largest = map.identities.length
  clearIdentities(map)
  assert.deepEqual([map.size, map.identities.length], [0, largest])
  for (let n = 0; n < 5000; n++) {
    assert.equal(getIdentity(map, identityOf(`step ${n}`)), undefined)
  }
  setIdentity(map, identityOf('one'), 1)
  clearIdentities(map)
  assert.deepEqual([map.size, map.identities.length], [0, room])
  assert.equal(getIdentity(map, identityOf('one')), undefined)
})
