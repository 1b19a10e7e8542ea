import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../../schemas/failure.ts'
import { runParts, type Part } from './parts.ts'

const never = (): Promise<never> => new Promise(() => {})

/** A part that notes its stop; `stop` is what stopping takes. */
const partOf = (name: string, noted: string[], stop: () => Promise<void>, ended = never()) => {
  const part: Part = {
    name,
    ended,
    stop: () => {
      noted.push(name)
      return stop()
    }
  }
  return async () => part
}

const done = async (): Promise<void> => {}

describe('stopping', () => {
  test('goes in order, and waits for each part', async () => {
    const noted: string[] = []
    const slow = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      noted.push('first is done')
    }
    const starts = [partOf('first', noted, slow), partOf('second', noted, done)]
    const late = (name: string): void => assert.fail(name)
    await runParts(starts, AbortSignal.abort(), { stopMsMax: 60_000, late })
    assert.deepEqual(noted, ['first', 'first is done', 'second'])
  })

  test('leaves a part that does not end, tells those behind it to stop, and ends', async () => {
    const noted: string[] = []
    const lates: string[] = []
    const starts = [
      partOf('quick', noted, done),
      partOf('stuck', noted, never),
      partOf('also stuck', noted, never),
      partOf('last', noted, done)
    ]
    const late = (name: string): void => void lates.push(name)
    await runParts(starts, AbortSignal.abort(), { stopMsMax: 1, late })
    assert.deepEqual(noted, ['quick', 'stuck', 'also stuck', 'last'])
    assert.deepEqual(lates, ['stuck', 'also stuck'])
  })

  test('still says what made a part end when another one does not stop', async () => {
    const broken = Promise.reject(new Failure('E_SQL', 'no such column'))
    const starts = [partOf('broken', [], done, broken), partOf('stuck', [], never)]
    const running = runParts(starts, new AbortController().signal, { stopMsMax: 1, late: () => {} })
    await assert.rejects(running, /broken ended: no such column/)
  })
})
