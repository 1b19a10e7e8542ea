import { tmpdir } from 'node:os'
import { sharesOfEnergy } from './paired.ts'

/** What estimating energy adds to settling, in CPU seconds: ENERGY_EVENTS and ENERGY_PAIRS size it. */
const { ENERGY_EVENTS = '40000', ENERGY_PAIRS = '9' } = process.env

/** Energy must not cost more than this share of the pass it runs in. */
const SHARE_MAX = 0.05

const { median, low, high, pairs, events } = await sharesOfEnergy({
  events: Number(ENERGY_EVENTS),
  pairs: Number(ENERGY_PAIRS),
  folder: process.env['BENCH_DIR'] ?? tmpdir(),
  print: (line) => process.stdout.write(`${line}\n`)
})
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
process.stdout.write(
  `energy adds ${percent(median)} CPU to settling ${events} events ` +
    `(${percent(low)} to ${percent(high)}, ${pairs} pairs)\n`
)
process.exitCode = median <= SHARE_MAX ? 0 : 1
