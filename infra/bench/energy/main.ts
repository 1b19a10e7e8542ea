import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openSettling } from '../../../jobs/settle/scratch-settling.ts'
import type { Run } from '../../../services/consume/run.ts'
import { landPass } from './land-pass.ts'
import { addedShare, runPairs, type Added, type Spent } from './paired.ts'
import { servedCalls } from './served-calls.ts'
import { settlePass } from './settle-pass.ts'

/**
 * What energy adds to the CPU of landing events, of settling them, and of both. ENERGY_EVENTS sizes
 * the hour that is settled; ENERGY_LAND_PAIRS and ENERGY_SETTLE_PAIRS say how often each is run with
 * energy and without.
 */
const {
  ENERGY_EVENTS = '100000',
  ENERGY_LAND_PAIRS = '300',
  ENERGY_SETTLE_PAIRS = '25'
} = process.env

/** Energy must not cost more than this share of the consumer's pass. */
const SHARE_MAX = 0.05
/** Events of a flush, as a busy consumer makes them. */
const FLUSH_EVENTS = 50_000
const US_PER_S = 1_000_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

/** CPU of a pair as microseconds an event. */
const perEvent = (pairs: readonly Spent[], events: number): Spent[] =>
  pairs.map(({ bare, whole }) => ({
    bare: (bare * US_PER_S) / events,
    whole: (whole * US_PER_S) / events
  }))

const tell = (name: string, pairs: readonly Spent[]): Added => {
  const added = addedShare(pairs)
  const mean = pairs.reduce((sum, { bare }) => sum + bare, 0) / pairs.length
  print(
    `${name}: energy adds ${percent(added.share)} CPU (${percent(added.low)} to ` +
      `${percent(added.high)}, ${pairs.length} pairs) to ${mean.toFixed(2)} µs an event`
  )
  return added
}

/** A share that may as well be above the bar is not shown to be below it. */
const judge = ({ low, high }: Added): boolean => {
  if (high <= SHARE_MAX) return true
  const bar = percent(SHARE_MAX)
  if (low > SHARE_MAX) print(`energy costs the consumer more than ${bar}`)
  else print(`not shown to be below ${bar}: run it with more pairs, or with nothing else running`)
  return false
}

const events = Number(ENERGY_EVENTS)
const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-energy-'))
const endings: (() => void)[] = []
try {
  const scratch = await openSettling({ after: (end) => void endings.push(end as () => void) })
  const calls = servedCalls(events)
  const runs: Run[] = []
  for (let first = 0; first < events; first += FLUSH_EVENTS) {
    const run = scratch.encode(calls.slice(first, first + FLUSH_EVENTS))
    runs.push(run)
    await scratch.flush({ ...run, bytes: run.bytes.slice() })
  }
  const onPair = ({ bare, whole }: Spent): void =>
    print(`  ${bare.toFixed(3)} s without, ${whole.toFixed(3)} s with`)
  const land = await landPass(
    path.join(folder, 'landed'),
    runs.filter(({ count }) => count === FLUSH_EVENTS)
  )
  const landed = perEvent(await runPairs(land, Number(ENERGY_LAND_PAIRS), onPair), FLUSH_EVENTS)
  const ofConsumer = tell('the consumer: decoding, landing, windows', landed)
  const settling = settlePass({ dir: scratch.dir, events, folder })
  const settled = perEvent(await runPairs(settling, Number(ENERGY_SETTLE_PAIRS), onPair), events)
  if (settled.length > 0) {
    const both = settled.map(({ bare, whole }, pair) => {
      const beside = landed[pair % landed.length]!
      return { bare: bare + beside.bare, whole: whole + beside.whole }
    })
    tell('settling', settled)
    tell('both', both)
  }
  process.exitCode = judge(ofConsumer) ? 0 : 1
} finally {
  for (const end of endings.toReversed()) end()
  await rm(folder, { recursive: true, force: true })
}
