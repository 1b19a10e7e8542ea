import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openSettling } from '../../../jobs/settle/scratch-settling.ts'
import type { Run } from '../../../services/consume/run.ts'
import { landPass } from './land-pass.ts'
import { addedShare, runRounds, type Spent } from './paired.ts'
import { servedCalls } from './served-calls.ts'
import { settlePass } from './settle-pass.ts'

/**
 * What energy adds to the CPU of landing events, of settling them, and of both. ENERGY_EVENTS sizes
 * the hour that is settled; ENERGY_LAND_ROUNDS and ENERGY_SETTLE_ROUNDS the rounds of four runs.
 */
const {
  ENERGY_EVENTS = '100000',
  ENERGY_LAND_ROUNDS = '25',
  ENERGY_SETTLE_ROUNDS = '15'
} = process.env

/** Energy must not cost more than this share of the consumer's pass. */
const SHARE_MAX = 0.05
/** Events of a flush, as a busy consumer makes them. */
const FLUSH_EVENTS = 50_000
/** Runs of a round on either side. */
const RUNS_EACH = 2
const US_PER_S = 1_000_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

/** CPU of a round as microseconds an event. */
const perEvent = (rounds: readonly Spent[], events: number): Spent[] =>
  rounds.map(({ bare, whole }) => ({
    bare: (bare * US_PER_S) / RUNS_EACH / events,
    whole: (whole * US_PER_S) / RUNS_EACH / events
  }))

const tell = (name: string, rounds: readonly Spent[]): number => {
  if (rounds.length === 0) return 0
  const { median, low, high } = addedShare(rounds)
  const mean = rounds.reduce((sum, { bare }) => sum + bare, 0) / rounds.length
  print(
    `${name}: energy adds ${percent(median)} CPU (${percent(low)} to ${percent(high)}, ` +
      `${rounds.length} rounds) to ${mean.toFixed(2)} µs an event`
  )
  return median
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
  const onRound = ({ bare, whole }: Spent): void =>
    print(`  ${bare.toFixed(2)} s without, ${whole.toFixed(2)} s with`)
  const land = await landPass(
    folder,
    runs.filter(({ count }) => count === FLUSH_EVENTS)
  )
  const landed = perEvent(await runRounds(land, Number(ENERGY_LAND_ROUNDS), onRound), FLUSH_EVENTS)
  const settling = settlePass({ dir: scratch.dir, events, folder })
  const settled = perEvent(await runRounds(settling, Number(ENERGY_SETTLE_ROUNDS), onRound), events)
  const both = settled.map(({ bare, whole }, round) => {
    const beside = landed[round % landed.length]!
    return { bare: bare + beside.bare, whole: whole + beside.whole }
  })
  const ofConsumer = tell('the consumer: decoding, landing, windows', landed)
  tell('settling', settled)
  tell('both', both)
  process.exitCode = ofConsumer <= SHARE_MAX ? 0 : 1
} finally {
  for (const end of endings.toReversed()) end()
  await rm(folder, { recursive: true, force: true })
}
