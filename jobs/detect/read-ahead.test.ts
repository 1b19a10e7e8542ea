import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { loadSignals } from '../../services/signals/load.ts'
import { openDetection } from './fold.ts'
import type { DetectSource } from './source.ts'
import { MINUTE_MS } from './watermark.ts'

const signals = await loadSignals()
const RELATIONS = { windows: 'windows', prefixes: 'prefixes', events: 'events' }

/** A database without rows that counts the statements that wait for it. */
const countingSource = (answer: () => void = () => undefined) => {
  const counts = { waiting: 0, most: 0, all: 0 }
  const source: DetectSource = {
    run: async () => undefined,
    copy: async () => undefined,
    whole: async () => {
      counts.all += 1
      counts.waiting += 1
      counts.most = Math.max(counts.most, counts.waiting)
      await setImmediate()
      counts.waiting -= 1
      answer()
      return { rows: 0, numbers: {}, texts: {} }
    }
  }
  return { counts, source }
}

test('statements wait for the database, and leave a thread to the rest of the process', async () => {
  const { counts, source } = countingSource()
  const detection = await openDetection(source, RELATIONS, { signals, generation: 'g1' })
  await detection.foldRange(0, MINUTE_MS)
  assert.equal(counts.all, signals.flatMap(({ inputs }) => Object.keys(inputs)).length)
  assert.equal(counts.most, 3)
})

test('a statement that fails is told, and those behind it leave nothing unhandled', async () => {
  const { counts, source } = countingSource(() => {
    throw new Error('out of memory')
  })
  const detection = await openDetection(source, RELATIONS, { signals, generation: 'g1' })
  await assert.rejects(detection.foldRange(0, MINUTE_MS), /out of memory/)
  while (counts.waiting > 0) await setImmediate()
  assert.ok(counts.all > 1)
})
