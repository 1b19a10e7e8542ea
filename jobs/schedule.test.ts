import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { coalesce, scheduleJobs } from './schedule.ts'

/** A run that ends when told. */
const gate = () => {
  const opened: (() => void)[] = []
  let runs = 0
  return {
    run: () => {
      runs++
      return new Promise<void>((resolve) => opened.push(resolve))
    },
    open: () => opened.shift()?.(),
    runs: () => runs
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
const unexpected = (error: unknown): never => {
  throw error instanceof Error ? error : new Error(String(error))
}

/** A `Date` whose now is a clock's: the mocked timers would move with the mocked date. */
const dateOf = (clock: { nowMs: number }): DateConstructor =>
  new Proxy(Date, {
    construct: (target, args: [] | [number]) =>
      args.length === 0 ? new target(clock.nowMs) : new target(...args),
    get: (target, key) => (key === 'now' ? () => clock.nowMs : Reflect.get(target, key))
  })

describe('pokes', () => {
  test('while a run is under way make exactly one more, however many they are', async () => {
    const { run, open, runs } = gate()
    const runner = coalesce(run, unexpected)
    for (let poke = 0; poke < 5; poke++) runner.poke()
    assert.equal(runs(), 1)
    open()
    await turn()
    assert.equal(runs(), 2)
    open()
    await runner.idle()
    assert.equal(runs(), 2)
  })

  test('after a run make another', async () => {
    const { run, open, runs } = gate()
    const runner = coalesce(run, unexpected)
    runner.poke()
    open()
    await runner.idle()
    runner.poke()
    open()
    await runner.idle()
    assert.equal(runs(), 2)
  })

  test('go on after a run that failed, and its error is handed on', async () => {
    const errors: unknown[] = []
    let runs = 0
    const fail = (): Promise<void> => Promise.reject(new Error(`run ${++runs}`))
    const runner = coalesce(fail, (error) => errors.push(error))
    runner.poke()
    runner.poke()
    await runner.idle()
    assert.deepEqual(errors.map(String), ['Error: run 1', 'Error: run 2'])
  })
})

describe('the clock', () => {
  test('pokes at its times, and not after the stop, which waits for the running', async () => {
    let runs = 0
    let ended = 0
    let poked = (): void => undefined
    const first = new Promise<void>((resolve) => (poked = resolve))
    const run = async (signal: AbortSignal): Promise<void> => {
      runs++
      poked()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      ended++
    }
    const scheduled = scheduleJobs([{ name: 'second', cron: '* * * * * *', run }], unexpected)
    await first
    await scheduled.stop()
    assert.deepEqual([runs, ended], [1, 1])
    scheduled.poke('second')
    await turn()
    assert.equal(runs, 1)
  })

  test('that was a year ahead and is set right pokes within a minute of its times', async () => {
    const clock = { nowMs: Date.parse('2027-11-24T10:30:00Z') }
    mock.timers.enable({ apis: ['setTimeout'] })
    const { Date: RealDate } = globalThis
    globalThis.Date = dateOf(clock)
    const pokedMs: number[] = []
    const run = async (): Promise<void> => void pokedMs.push(clock.nowMs)
    const scheduled = scheduleJobs([{ name: 'hourly', cron: '0 0 * * * *', run }], unexpected)
    try {
      clock.nowMs = Date.parse('2026-11-24T10:30:00Z')
      for (let minute = 0; minute < 60; minute++) {
        clock.nowMs += 60_000
        mock.timers.tick(60_000)
      }
    } finally {
      await scheduled.stop()
      globalThis.Date = RealDate
      mock.timers.reset()
    }
    assert.deepEqual(pokedMs, [Date.parse('2026-11-24T11:00:00Z')])
  })

  test('refuses times that are none and names that it does not know', async () => {
    const run = (): Promise<void> => Promise.resolve()
    assert.throws(() => scheduleJobs([{ name: 'x', cron: '61 * * * *', run }], unexpected), {
      code: 'E_USAGE'
    })
    const scheduled = scheduleJobs([{ name: 'x', cron: '0 3 * * *', run }], unexpected)
    assert.throws(() => scheduled.poke('y'), { code: 'E_USAGE' })
    await scheduled.stop()
  })
})
