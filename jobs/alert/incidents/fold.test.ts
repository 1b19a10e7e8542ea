import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Notice } from '../../../schemas/incidents.ts'
import { sampleFinding } from '../sample.ts'
import { foldIncidents, type Entry } from './fold.ts'
import { EMPTY_FOLD, FoldState } from './incident.ts'
import { INHIBITIONS } from './inhibition.ts'

const START_MS = Date.parse('2026-01-01T00:00:00Z')
const MINUTE_MS = 60_000
const SETTINGS = { budgetPerTenantDay: 20, inhibitions: INHIBITIONS }
const at = (minute: number): string => new Date(START_MS + minute * MINUTE_MS).toISOString()

describe('the fold as a function', () => {
  const finding = fc.record({
    fingerprint: fc.constantFrom('a', 'b', 'c'),
    status: fc.constantFrom('firing' as const, 'firing' as const, 'resolved' as const),
    severity: fc.constantFrom('info' as const, 'warning' as const, 'critical' as const),
    gapMinutes: fc.integer({ min: 1, max: 600 })
  })
  const stories = fc.array(finding, { maxLength: 40 }).map((steps) => {
    let minute = 0
    return steps.map(({ gapMinutes, ...changes }, index): Entry => {
      minute += gapMinutes
      return {
        sequence: index + 1,
        finding: sampleFinding({ ...changes, detected_at: at(minute) })
      }
    })
  })
  const input = {
    caughtUp: false,
    watermarkMs: null,
    clockMs: START_MS + 90 * 24 * 60 * MINUTE_MS,
    generation: 'test'
  }

  test('gives the same in one go as in pieces with a restart between each', () => {
    fc.assert(
      fc.property(stories, fc.integer({ min: 1, max: 7 }), (entries, piece) => {
        const whole = foldIncidents(EMPTY_FOLD, { ...input, entries }, SETTINGS)
        let state = EMPTY_FOLD
        const notices: Notice[] = []
        for (let from = 0; from < entries.length; from += piece) {
          const kept = FoldState.parse(JSON.parse(JSON.stringify(state)))
          const part = foldIncidents(
            kept,
            { ...input, entries: entries.slice(from, from + piece) },
            SETTINGS
          )
          notices.push(...part.notices)
          state = part.state
        }
        assert.deepEqual(notices, whole.notices)
        assert.deepEqual(state, whole.state)
      }),
      { numRuns: 200, seed: 7 }
    )
  })

  test('numbers notices without holes, by ids that are never used twice', () => {
    fc.assert(
      fc.property(stories, (entries) => {
        const { notices } = foldIncidents(EMPTY_FOLD, { ...input, entries }, SETTINGS)
        assert.deepEqual(
          notices.map(({ number }) => number),
          notices.map((_, index) => index + 1)
        )
        assert.equal(new Set(notices.map(({ id }) => id)).size, notices.length)
      }),
      { numRuns: 200, seed: 8 }
    )
  })

  test('tells of every incident an opening, then at most one end, then an opening again', () => {
    fc.assert(
      fc.property(stories, (entries) => {
        const { notices } = foldIncidents(EMPTY_FOLD, { ...input, entries }, SETTINGS)
        for (const fingerprint of ['a', 'b', 'c']) {
          const kinds = notices
            .filter((notice) => notice.fingerprint === fingerprint && notice.withheld === null)
            .map(({ kind }) => kind.replace('reopened', 'opened')[0])
          assert.match(kinds.join(''), /^(ou*r)*(ou*)?$/)
        }
      }),
      { numRuns: 200, seed: 9 }
    )
  })
})
