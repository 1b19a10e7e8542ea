import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { Range } from '../lake/commit.ts'
import { openLanding, type Landing } from './landing-site.ts'
import { resumePartition } from './resume-partition.ts'

const TOPIC = 'usage'

const at = (incarnation: string, next: number): Range => ({
  topic: TOPIC,
  partition: 0,
  incarnation,
  first: next,
  next,
  anchor: null,
  appendedUntilMs: null,
  watermarkMs: null
})

const gapAt = (first: number) => ({
  first,
  next: first,
  reason: 'recreation' as const,
  detail: 'the topic was made anew',
  noticedAfterMs: null
})

/** A landing whose only partition stands at `range`. */
const landingAt = async (t: TestContext, range: Range): Promise<Landing> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'tally-adopt-'))
  const landing = await openLanding({ dir: path.join(dir, 'lake'), crashAt: null })
  t.after(async () => {
    landing.close()
    await rm(dir, { recursive: true })
  })
  await landing.adopt({ range, gap: null, seen: undefined })
  return landing
}

const stands = async (landing: Landing): Promise<unknown[]> => {
  const range = (await landing.positions(TOPIC)).get(0)
  return [range?.incarnation, range?.next]
}

describe('moving a partition', () => {
  test('is refused when a topic made anew stands at the offset that was seen', async (t) => {
    const landing = await landingAt(t, at('new', 100))
    const zombie = { range: at('new', 0), gap: gapAt(100), seen: at('old', 100) }
    await assert.rejects(landing.adopt(zombie), { code: 'E_LAKE_CONFLICT', retriable: true })
    assert.deepEqual(await stands(landing), ['new', 100])
  })

  test('is refused when the offset moved on', async (t) => {
    const landing = await landingAt(t, at('same', 120))
    const late = { range: at('same', 130), gap: gapAt(100), seen: at('same', 100) }
    await assert.rejects(landing.adopt(late), { code: 'E_LAKE_CONFLICT' })
    assert.deepEqual(await stands(landing), ['same', 120])
  })

  test('looks again where another consumer was first, and goes on from there', async (t) => {
    const landing = await landingAt(t, at('old', 100))
    const state = { partition: 0, incarnation: 'new', start: 0, end: 50 }
    let looks = 0
    // The second look comes after the other consumer made the same move and read on.
    const doors = {
      topic: TOPIC,
      log: {
        partitions: async () => [state],
        read: () => assert.fail('nothing of the new topic is known, so nothing is looked up')
      } as never,
      landing: {
        positions: async () => {
          looks += 1
          const seen = await landing.positions(TOPIC)
          if (looks === 1) {
            await landing.adopt({ range: at('new', 40), gap: gapAt(100), seen: at('old', 100) })
          }
          return seen
        },
        adopt: (move: Parameters<Landing['adopt']>[0]) => landing.adopt(move)
      }
    }
    assert.equal((await resumePartition(doors, state)).next, 40)
    assert.equal(looks, 2)
    assert.deepEqual(await stands(landing), ['new', 40])
  })

  test('takes no log for truncated that was looked at before another consumer landed more', async (t) => {
    const landing = await landingAt(t, at('same', 40))
    const seen = { partition: 0, incarnation: 'same', start: 0, end: 30 }
    const log = { partitions: async () => [{ ...seen, end: 50 }] } as never
    assert.equal((await resumePartition({ topic: TOPIC, log, landing }, seen)).next, 40)
    const shorter = { partitions: async () => [seen] } as never
    assert.equal((await resumePartition({ topic: TOPIC, log: shorter, landing }, seen)).next, 0)
    assert.deepEqual(await stands(landing), ['same', 0])
  })
})
