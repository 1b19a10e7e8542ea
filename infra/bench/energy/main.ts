import { tmpdir } from 'node:os'
import { sharesOfEnergy, type Added } from './paired.ts'

/** What estimating energy adds in CPU seconds: ENERGY_EVENTS and ENERGY_PAIRS size it. */
const { ENERGY_EVENTS = '500000', ENERGY_PAIRS = '9' } = process.env

/** Energy must not cost more than this share of the pass it runs in. */
const SHARE_MAX = 0.05

const events = Number(ENERGY_EVENTS)
const pairs = Number(ENERGY_PAIRS)
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const { ofSettling, ofWholePass, landSeconds } = await sharesOfEnergy({
  events,
  pairs,
  folder: process.env['BENCH_DIR'] ?? tmpdir(),
  print
})
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const told = ({ median, low, high }: Added): string =>
  `${percent(median)} CPU (${percent(low)} to ${percent(high)}, ${pairs} pairs)`
print(`energy adds ${told(ofSettling)} to settling ${events} events`)
print(`energy adds ${told(ofWholePass)} to landing (${landSeconds.toFixed(1)} s) and settling them`)
process.exitCode = ofSettling.median <= SHARE_MAX ? 0 : 1
