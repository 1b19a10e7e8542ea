import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Fault } from '../table/fault.ts'
import { sightingOf, sightingText } from './sighting.ts'
import { testsOf } from './tap-tests.ts'

const OUTPUT = `TAP version 13
a line of the test's own
# Subtest: a broker
    # Subtest: hangs at \\# 1
    ok 1 - hangs at \\# 1
      ---
      duration_ms: 1500
      ...
    # seen: 3 \\# sent
    # of no matter
    # Subtest: is full
    not ok 2 - is full
      ---
      duration_ms: 250
      failureType: 'testCodeFailure'
      error: |-
        ok 1 - not a result
      ...
    # Subtest: is read-only
    ok 3 - is read-only # SKIP needs root
      ---
      duration_ms: 1
      ...
    1..3
not ok 1 - a broker
  ---
  duration_ms: 1751
  type: 'suite'
  ...
# Subtest: a cluster
ok 2 - a cluster # SKIP java not installed: the rest
  ---
  duration_ms: 0.1
  type: 'suite'
  ...
# Subtest: alone
ok 3 - alone
  ---
  duration_ms: 40
  ...
1..3
# tests 5
`

const faultOf = (...titles: string[]): Fault => ({
  number: 7,
  fault: '',
  injected: '',
  promise: '',
  shown: titles.map((title) => ({ file: 'x.test.ts', title }))
})

const textOf = (output: string, ...titles: string[]): string =>
  sightingText(sightingOf(faultOf(...titles), new Map([['x.test.ts', output]]), '2026-12-01'))

test('tests are told by their full titles, and suites where they were skipped', () => {
  assert.deepEqual(
    testsOf(OUTPUT).map(({ title, outcome, why, seconds, said }) => [
      title,
      outcome,
      why,
      seconds,
      said
    ]),
    [
      ['a broker hangs at # 1', 'passed', '', 1.5, ['3 # sent']],
      ['a broker is full', 'failed', '', 0.25, []],
      ['a broker is read-only', 'skipped', 'needs root', 0.001, []],
      ['a cluster', 'skipped', 'java not installed: the rest', 0.0001, []],
      ['alone', 'passed', '', 0.04, []]
    ]
  )
})

describe('what is seen of a fault', () => {
  test('is what its tests said, how many there are, how long they took and when', () => {
    assert.equal(textOf(OUTPUT, 'broker hangs'), '3 # sent; 1 test, 1.5 s, 2026-12-01')
    assert.equal(textOf(OUTPUT, 'alone'), 'kept: 1 test, 0.0 s, 2026-12-01')
    assert.equal(
      textOf(OUTPUT, 'alone', 'is read-only'),
      'kept: 1 test, 1 skipped: needs root, 0.0 s, 2026-12-01'
    )
  })

  test('is that it is broken where one failed, or never ended', () => {
    assert.equal(textOf(OUTPUT, 'alone', 'is full'), '**broken**: 1 of 2 tests, 2026-12-01')
    assert.equal(textOf('Segmentation fault', 'alone'), '**broken**: 1 of 1 tests, 2026-12-01')
  })

  test('is why they were skipped, also as part of a suite', () => {
    assert.equal(textOf(OUTPUT, 'is read-only'), 'skipped: needs root, 2026-12-01')
    assert.equal(
      textOf(OUTPUT, 'is within the cluster'),
      'skipped: java not installed: the rest, 2026-12-01'
    )
    assert.equal(sightingText(undefined), 'not run')
  })
})
