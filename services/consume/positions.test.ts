import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Range } from '../lake/commit.ts'
import type { RecordRun } from '../stream/log.ts'
import { flushAtMs, FlushClock } from './flush-clock.ts'
import { resume } from './gap.ts'
import type { AnchorSeen } from '../stream/anchor.ts'
import { cutRun } from './run.ts'

const stored = (next: number, incarnation = 'one'): Range => ({
  topic: 'usage',
  partition: 0,
  incarnation,
  first: 0,
  next,
  anchor: { offset: next - 1, crc32c: 7 },
  appendedUntilMs: 1_000,
  watermarkMs: null
})

const state = (start: number, end: number) => ({ partition: 0, incarnation: 'one', start, end })

describe('where a partition goes on', () => {
  const cases: [string, Range | undefined, [number, number], AnchorSeen, unknown][] = [
    ['at its start when nothing was landed', undefined, [40, 90], 'absent', [40, null]],
    ["at the lake's offset", stored(50), [0, 90], 'same', [50, null]],
    ["at the log's end when all was landed", stored(90), [0, 90], 'same', [90, null]],
    ['where retention left just what was landed', stored(50), [50, 90], 'absent', [50, null]],
    ['behind what retention took', stored(50), [51, 90], 'absent', [51, ['retention', 50, 51]]],
    ['from the start of a cut log', stored(91), [3, 90], 'absent', [3, ['truncation', 91, 91]]],
    ['from the start of a refilled log', stored(50), [3, 90], 'other', [3, ['truncation', 50, 50]]],
    [
      'from the start of a topic made anew, though it is longer',
      stored(50, 'old'),
      [0, 90],
      'absent',
      [0, ['recreation', 50, 50]]
    ]
  ]
  for (const [where, from, [start, end], anchor, wanted] of cases) {
    test(`is ${where}`, () => {
      const { next, gap, adopt } = resume(from, state(start, end), anchor)
      assert.deepEqual([next, gap === null ? null : [gap.reason, gap.first, gap.next]], wanted)
      assert.equal(adopt, gap !== null)
      assert.equal(gap?.noticedAfterMs ?? 1_000, 1_000)
    })
  }
})

/** Records at the given offsets, each of one byte that is its offset. */
const runAt = (offsets: number[], next: number): RecordRun => ({
  partition: 0,
  count: offsets.length,
  next,
  leader: null,
  offsets: Float64Array.from(offsets),
  timesMs: Float64Array.from(offsets, (offset) => offset * 10),
  bytes: Uint8Array.from(offsets),
  valueStart: Int32Array.from(offsets, (_, index) => index),
  valueEnd: Int32Array.from(offsets, (_, index) => index + 1),
  checksum: (index) => offsets[index]! * 100,
  faults: [12, 16].map((first) => ({
    first,
    next: first + 1,
    timeMs: 0,
    code: 'E_LOG_CORRUPT' as const,
    reason: '',
    bytes: new Uint8Array(0),
    byteLength: 0
  })),
  header: () => null
})

describe('cutting a run', () => {
  const run = runAt([10, 11, 13, 15, 17], 20)

  test('takes each record and each fault into exactly one piece', () => {
    const pieces = [cutRun(run, 10, 13), cutRun(run, 13, 16), cutRun(run, 16, 32)]
    assert.deepEqual(
      pieces.map(({ first, next, offsets, faults }) => [
        first,
        next,
        [...offsets],
        faults.map((fault) => fault.first)
      ]),
      [
        [10, 13, [10, 11], [12]],
        [13, 16, [13, 15], []],
        [16, 20, [17], [16]]
      ]
    )
    assert.deepEqual(
      pieces.map(({ anchor }) => anchor),
      [11, 15, 17].map((offset) => ({ offset, crc32c: offset * 100 }))
    )
  })

  test('of a stretch without records covers it all the same', () => {
    const { count, next, anchor } = cutRun(run, 18, 20)
    assert.deepEqual([count, next, anchor], [0, 20, null])
  })
})

describe('a flush is due', () => {
  const LIMITS = { flushMsMax: 60_000, flushRowsMax: 100, flushBytesMax: 1_000, cutOffsets: 10 }
  /** A clock whose hand the test moves, and whether a flush is due now. */
  const clockAt = () => {
    let nowMs = 0
    const clock = new FlushClock(LIMITS, () => nowMs)
    const isDue = async (): Promise<boolean> => {
      const stopping = new AbortController()
      let due = false
      const waiting = clock.due(stopping.signal).then(() => (due = !stopping.signal.aborted))
      await new Promise((resolve) => setImmediate(resolve))
      stopping.abort()
      await waiting
      return due
    }
    /** Partition 0 holds so many rows, up to an event of now. */
    const add = (rows: number, bytes: number): void =>
      clock.added({ partition: 0, rows, bytes, watermarkMs: nowMs })
    return { clock, add, isDue, pass: (ms: number) => void (nowMs += ms) }
  }

  test('just behind a full step of the clock after the oldest row, and not for want of rows', async () => {
    const { clock, add, isDue, pass } = clockAt()
    add(0, 0)
    pass(60_100)
    assert.equal(await isDue(), false)
    add(1, 0)
    pass(59_999)
    add(2, 0)
    assert.equal(await isDue(), false)
    pass(1)
    assert.equal(await isDue(), true)
    clock.begin()
    assert.equal(await isDue(), false)
  })

  test('before a row has waited for longer, whenever it came', () => {
    for (const oldestMs of [0, 99, 100, 59_999, 60_000, 60_099, 60_100, 1_796_008_049_937]) {
      const atMs = flushAtMs(oldestMs, 60_000)
      assert.equal(atMs % 60_000, 100)
      assert.ok(atMs > oldestMs && atMs <= oldestMs + 60_000, `${oldestMs} at ${atMs}`)
    }
  })

  /** Of two partitions one holds a row; the clock stands just behind the next step. */
  const behindStep = () => {
    const { clock, isDue, pass } = clockAt()
    const holds = (partition: number, watermarkMs: number | null): void =>
      clock.added({ partition, rows: 1, bytes: 0, watermarkMs })
    for (const partition of [0, 1]) clock.enter(partition)
    pass(1_000)
    holds(0, 0)
    pass(59_100)
    return { clock, isDue, pass, holds }
  }

  test('once every partition holds an event from behind the step, so that a minute closes', async () => {
    const { isDue, holds } = behindStep()
    assert.equal(await isDue(), false)
    holds(0, 60_000)
    assert.equal(await isDue(), false)
    holds(1, 59_999)
    assert.equal(await isDue(), false)
    holds(1, 60_001)
    assert.equal(await isDue(), true)
  })

  test('without waiting for partitions that hold no more, stand at a cut or are given away', async () => {
    const atEnd = behindStep()
    atEnd.holds(0, 60_000)
    atEnd.clock.looked(1, false)
    assert.equal(await atEnd.isDue(), true)
    atEnd.clock.looked(1, true)
    assert.equal(await atEnd.isDue(), false)
    atEnd.clock.leave(1)
    assert.equal(await atEnd.isDue(), true)
    const atCut = behindStep()
    const stopping = new AbortController()
    const standing = atCut.clock.atCut(1, stopping.signal)
    assert.equal(await atCut.isDue(), false)
    atCut.holds(0, 60_000)
    assert.equal(await atCut.isDue(), true)
    stopping.abort()
    await assert.rejects(standing, { name: 'AbortError' })
  })

  test('a second late where events lag behind the clock', async () => {
    const { isDue, pass, holds } = behindStep()
    for (const partition of [0, 1]) holds(partition, null)
    pass(999)
    assert.equal(await isDue(), false)
    pass(1)
    assert.equal(await isDue(), true)
  })

  test('when enough rows wait', async () => {
    const { add, isDue } = clockAt()
    add(99, 0)
    assert.equal(await isDue(), false)
    add(100, 0)
    assert.equal(await isDue(), true)
  })

  test('when enough bytes wait, and not for those of the flush before', async () => {
    const { clock, add, isDue } = clockAt()
    add(1, 900)
    assert.equal(await isDue(), false)
    add(2, 100)
    assert.equal(await isDue(), true)
    clock.begin()
    add(1, 999)
    assert.equal(await isDue(), false)
  })

  test('after as many cuts as fill it, however few partitions there are', () => {
    const { clock } = clockAt()
    // 100 rows and cuts of 10: ten cuts of one reader, five of each of two, none less than one.
    const steps = Array.from({ length: 12 }, (_, partition) => {
      clock.enter(partition)
      return clock.cutAfter(0)
    })
    assert.deepEqual(steps, [100, 50, 30, 20, 20, 10, 10, 10, 10, 10, 10, 10])
    assert.deepEqual([clock.cutAfter(9), clock.cutAfter(10)], [10, 20])
    for (let partition = 2; partition < 12; partition++) clock.leave(partition)
    assert.deepEqual([clock.cutAfter(49), clock.cutAfter(50), clock.cutAfter(120)], [50, 100, 150])
  })

  test('when every reader stands at a cut, and no reader passes it before', async () => {
    const { clock, isDue } = clockAt()
    const stopping = new AbortController()
    clock.enter(0)
    clock.enter(1)
    let passed = 0
    const wait = (partition: number): Promise<unknown> =>
      clock.atCut(partition, stopping.signal).then(() => passed++)
    const first = wait(0)
    assert.equal(await isDue(), false)
    const second = wait(1)
    assert.equal(await isDue(), true)
    assert.equal(passed, 0)
    clock.begin()
    await Promise.all([first, second])
    assert.equal(passed, 2)
  })

  test('when a reader that others wait for ends', async () => {
    const { clock, isDue } = clockAt()
    clock.enter(0)
    clock.enter(1)
    const waiting = clock.atCut(0, new AbortController().signal)
    assert.equal(await isDue(), false)
    clock.leave(1)
    assert.equal(await isDue(), true)
    clock.begin()
    await waiting
  })

  test('and looking for it leaves no listener behind', async () => {
    const { clock, isDue } = clockAt()
    for (let look = 0; look < 20; look++) await isDue()
    assert.equal(clock.listenerCount('changed'), 0)
  })

  test('for who waits for the next one, though one is under way', async () => {
    const { clock } = clockAt()
    clock.begin()
    let flushed = false
    const waiting = clock.nextFlush(new AbortController().signal).then(() => (flushed = true))
    clock.end()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(flushed, false)
    clock.begin()
    await new Promise((resolve) => setImmediate(resolve))
    clock.end()
    await waiting
  })
})
