import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import { openMemory } from '../../services/lake/memory.ts'
import { openScratchLake, scratchFolder, sharedEngine } from '../../services/lake/scratch-lake.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import { Case, caseLines } from '../../services/signals/case.ts'
import { loadSignals, type LoadedSignal } from '../../services/signals/load.ts'
import { backtestEvents } from './backtest.ts'
import { foldRows, openDetector } from './detect.ts'
import {
  commitFlush,
  landEvents,
  landMinutes,
  loadCase,
  playLive,
  viewAt,
  type LiveCase
} from './live-case.ts'
import { FoldSteps, STEPS_KEY } from './fold-steps.ts'
import { sqlFold } from './sql-fold.ts'

const MINUTE_MS = 60_000
const signals = await loadSignals()
const book = await loadBook()
/** As with states of a hundred megabytes: written now and then, one a step. */
const LARGE = { smallBytesMax: 0, largeAgeMs: 16 * MINUTE_MS }
const GENERATION = 'backtest'

type NamedCase = { name: string; lines: string[]; fires: boolean }

const casesOf = async (id: string): Promise<NamedCase[]> => {
  const folder = new URL(`../../services/signals/${id}/cases/`, import.meta.url)
  const names = (await readdir(folder)).sort()
  return Promise.all(
    names.map(async (name) => {
      const one = Case.parse(JSON.parse(await readFile(new URL(name, folder), 'utf8')))
      return { name, lines: caseLines(one), fires: one.findings.length > 0 }
    })
  )
}

/** The first case of a signal that fires. */
const firingCase = async (id: string): Promise<string[]> => {
  const first = (await casesOf(id)).find(({ fires }) => fires)
  assert.ok(first !== undefined, `${id} has no case that fires`)
  return first.lines
}

const openCase = async (t: TestContext, signal: LoadedSignal): Promise<LiveCase> => ({
  engine: await sharedEngine(),
  lake: await openScratchLake(await scratchFolder(t)),
  options: { signals: [signal], generation: GENERATION, snapshotPolicy: LARGE },
  book
})

const backtest = async (signal: LoadedSignal, lines: readonly string[]) => {
  const database = await openMemory()
  const { findings } = await backtestEvents(lines, { database, signals: [signal], book })
  database.close()
  return findings
}

for (const signal of signals) {
  for (const { name, lines, fires } of await casesOf(signal.id)) {
    test(`${signal.id}, ${name}: live findings are those of a backtest, through restarts at every step`, async (t) => {
      const live = await openCase(t, signal)
      const extent = await loadCase(live, lines)
      // What is to stay quiet is restarted less often: there is nothing to repeat or lose.
      const steps = fires ? 8 : 3
      const minutes = (extent.toMs - extent.fromMs) / MINUTE_MS
      const stepMs = Math.max(1, Math.round(minutes / steps)) * MINUTE_MS
      const found = await playLive(live, { ...extent, stepMs, restart: () => true })
      assert.equal(found.length > 0, fires)
      assert.deepEqual(found, await backtest(signal, lines))
    })
  }
}

/** Seconds after a minute's end at which the detector looks: the last closes it. */
const LOOKS_S = [0, 11, 24, 30]

/** Of a minute, landed only after the first parts of it were folded. */
const LAST_MS = 10_000

// One that takes parts, one that reads events once the minute has closed, and one that reads windows.
for (const id of ['tool-reentrancy', 'billing-drift', 'cache-thrash']) {
  test(`${id}: a minute that is folded in parts before it closes gives what it gives as a whole, through restarts in the middle`, async (t) => {
    const signal = signals.find((one) => one.id === id)!
    const lines = await firingCase(signal.id)
    const live = await openCase(t, signal)
    const { fromMs, toMs } = await loadCase(live, lines)
    const options = { ...live.options, aheadRows: 1 }
    let [detector, parts, step] = [openDetector(live, options), 0, 0]
    const found = []
    for (let startMs = fromMs; startMs < toMs; startMs += MINUTE_MS) {
      const endMs = startMs + MINUTE_MS
      await landMinutes(live, [startMs, endMs - LAST_MS], endMs)
      for (const second of LOOKS_S) {
        if (second === LOOKS_S[2]) await landMinutes(live, [endMs - LAST_MS, endMs])
        if (++step % 29 === 0) detector = openDetector(live, options)
        found.push(...(await detector.step(viewAt(live, endMs, endMs + second * 1000))))
        // In the middle of a minute there is nothing to be saved, and nothing must be.
        if (second === LOOKS_S[1]) await detector.save()
      }
      const steps = FoldSteps.parse((await live.lake.head()).state.get(STEPS_KEY) ?? [])
      parts += steps.filter(({ untilMs }) => untilMs > startMs && untilMs < endMs).length
    }
    assert.ok(parts > 0)
    assert.deepEqual(found, await backtest(signal, lines))
  })
}

test('what comes late before the first minute of a lake, while that is folded in parts, is only counted', async (t) => {
  const signal = signals.find(({ id }) => id === 'tool-reentrancy')!
  const lines = await firingCase(signal.id)
  const live = await openCase(t, signal)
  const { fromMs, toMs } = await loadCase(live, lines)
  const options = { ...live.options, aheadRows: 1 }
  const untils: number[] = []
  const rows = sqlFold(live, options)
  const open: typeof rows.open = async (state) => {
    const one = await rows.open(state)
    return { ...one, fold: (range) => (untils.push(range.untilMs), one.fold(range)) }
  }
  const detector = foldRows(live.lake, { ...rows, open }, options)
  const endMs = fromMs + MINUTE_MS
  const found = []
  await landMinutes(live, [fromMs, endMs])
  for (const second of LOOKS_S) {
    found.push(...(await detector.step(viewAt(live, endMs, endMs + second * 1000))))
    if (second !== LOOKS_S[1]) continue
    const late = `SELECT * REPLACE (time - INTERVAL 5 MINUTES AS time) FROM case_events LIMIT 1`
    await commitFlush(live, await landEvents(live, late), endMs)
  }
  assert.ok(untils.length > 1, 'the first minute came in parts')
  assert.equal(untils.at(-1), endMs)
  await landMinutes(live, [endMs, toMs])
  found.push(...(await detector.step(viewAt(live, toMs))))
  assert.deepEqual(found, await backtest(signal, lines))
})

test('what has landed of the first minute is folded for nothing before it closes, which changes no finding', async (t) => {
  const signal = signals.find(({ id }) => id === 'tool-reentrancy')!
  const lines = await firingCase(signal.id)
  const live = await openCase(t, signal)
  const { fromMs, toMs } = await loadCase(live, lines)
  const rows = sqlFold(live, live.options)
  const calls: string[] = []
  const open: typeof rows.open = async (state) => {
    const { fold, rehearse, ...one } = await rows.open(state)
    return {
      ...one,
      fold: (range) => (calls.push('fold'), fold(range)),
      rehearse: async (range) => (calls.push('rehearsal'), rehearse!(range))
    }
  }
  const detector = foldRows(live.lake, { ...rows, open }, live.options)
  const found = []
  for (let startMs = fromMs; startMs < toMs; startMs += MINUTE_MS) {
    const endMs = startMs + MINUTE_MS
    await landMinutes(live, [startMs, endMs])
    for (const second of [0, 11, 30])
      found.push(...(await detector.step(viewAt(live, endMs, endMs + second * 1000))))
  }
  assert.deepEqual([...new Set(calls)], ['rehearsal', 'fold'])
  // More of it would not be worth it for a few rows.
  assert.equal(calls.lastIndexOf('rehearsal'), 0)
  assert.deepEqual(found, await backtest(signal, lines))
})

const cacheThrash = signals.find(({ id }) => id === 'cache-thrash')!

test('a detector that stays writes its state now and then, and one that restarts goes on from there or from the beginning', async (t) => {
  const lines = await firingCase('cache-thrash')
  const live = await openCase(t, cacheThrash)
  const extent = await loadCase(live, lines)
  const paths = new Set<string>()
  const between = async (): Promise<void> => {
    const { files } = await live.lake.head()
    for (const path of files.get('fold_states')?.keys() ?? []) paths.add(path)
    // Once there, a state is always there, and once.
    assert.equal(files.get('fold_states')?.size ?? 0, Math.min(1, paths.size))
  }
  const stepMs = 5 * MINUTE_MS
  const restart = (step: number): boolean => step === 3 || step === 7
  const found = await playLive(live, { ...extent, stepMs, restart, between })
  assert.deepEqual(found, await backtest(cacheThrash, lines))
  // An hour in twelve steps, each a close: each time that 24 minutes have passed.
  assert.equal(paths.size, 2)
})

test('a state that is due is written once its minute has closed, and not with the findings', async (t) => {
  const live = await openCase(t, cacheThrash)
  const { fromMs } = await loadCase(live, await firingCase('cache-thrash'))
  const detector = openDetector(live, live.options)
  const look = async (untilMs: number, isTelling = false): Promise<string | undefined> => {
    await detector.step({ ...viewAt(live, untilMs), isTelling })
    return (await live.lake.head()).files.get('fold_states')?.keys().next().value
  }
  const closeAt = async (minutes: number): Promise<string | undefined> => {
    await landMinutes(live, [fromMs + (minutes - 5) * MINUTE_MS, fromMs + minutes * MINUTE_MS])
    return look(fromMs + minutes * MINUTE_MS)
  }
  assert.equal(await closeAt(5), undefined)
  assert.equal(await look(fromMs + 5 * MINUTE_MS, true), undefined, 'channels come first')
  const first = await look(fromMs + 5 * MINUTE_MS)
  assert.ok(first !== undefined)
  for (const minutes of [10, 15, 20, 25]) assert.equal(await closeAt(minutes), first)
  // Twenty minutes old: nothing closes at this look, and the next finds nothing left to write.
  const renewed = await look(fromMs + 25 * MINUTE_MS)
  assert.notEqual(renewed, first)
  assert.equal(await look(fromMs + 25 * MINUTE_MS), renewed)
})

test('rows that come late change nothing that a restart folds again', async (t) => {
  const lines = await firingCase('cache-thrash')
  const expected = await backtest(cacheThrash, lines)
  const live = await openCase(t, cacheThrash)
  const extent = await loadCase(live, lines)
  const stepMs = 10 * MINUTE_MS
  let late = 0
  const found = await playLive(live, {
    ...extent,
    stepMs,
    restart: () => true,
    between: async (untilMs) => {
      // The stretch just folded comes once more, as another hundred events would.
      await landMinutes(live, [untilMs - stepMs, untilMs])
      late += 1
    }
  })
  assert.ok(late >= 5)
  assert.deepEqual(found, expected)
})

test('a step whose commit fails is taken again by the same detector, and nothing is told twice', async (t) => {
  const lines = await firingCase('cache-thrash')
  const live = await openCase(t, cacheThrash)
  const { lake } = live
  let failures = 0
  const commit: typeof lake.commit = async (build) =>
    lake.commit(async (head) => {
      const made = await build(head)
      if (made?.kind !== 'detect' || (failures += 1) % 2 === 0) return made
      throw new Error('the disk is full')
    })
  const broken = { ...live, lake: { ...lake, commit } }
  const extent = await loadCase(live, lines)
  const play = { ...extent, stepMs: 20 * MINUTE_MS, restart: () => false, again: /disk is full/ }
  assert.deepEqual(await playLive(broken, play), await backtest(cacheThrash, lines))
  assert.ok(failures >= 6)
})

test('two detectors on one lake: the one that is late says so and takes up from there', async (t) => {
  const lines = await firingCase('cache-thrash')
  const live = await openCase(t, cacheThrash)
  const extent = await loadCase(live, lines)
  const stepMs = 30 * MINUTE_MS
  const found = await playLive(live, { ...extent, stepMs, restart: () => false })
  const again = await playLive(live, { ...extent, stepMs, restart: () => false })
  assert.ok(found.length > 0)
  assert.deepEqual(again, [])
  assert.ok((await live.lake.head()).state.has(STEPS_KEY))
})

test('a detector that saves as it leaves, while its successor takes a step, loses no state', async (t) => {
  const lines = await firingCase('cache-thrash')
  const live = await openCase(t, cacheThrash)
  const { fromMs, toMs } = await loadCase(live, lines)
  const old = openDetector(live, live.options)
  const commit: typeof live.lake.commit = async (build) => {
    await old.save()
    return live.lake.commit(build)
  }
  const successor = openDetector({ ...live, lake: { ...live.lake, commit } }, live.options)
  const stepMs = 15 * MINUTE_MS
  const found = []
  for (let start = fromMs, step = 0; start < toMs; start += stepMs, step++) {
    const untilMs = Math.min(toMs, start + stepMs)
    await landMinutes(live, [start, untilMs])
    const view = viewAt(live, untilMs)
    // The state of the first step is not yet due again when the third begins.
    if (step === 2) await assert.rejects(successor.step(view), { code: 'E_LAKE_CONFLICT' })
    const detector = step < 2 ? old : step === 2 ? successor : openDetector(live, live.options)
    found.push(...(await detector.step(view)))
    if (step === 0) await old.save()
    assert.equal((await live.lake.head()).files.get('fold_states')?.size, 1)
  }
  assert.deepEqual(found, await backtest(cacheThrash, lines))
})
