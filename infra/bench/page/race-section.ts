import { grouped, median, readLines, table, type RaceRun } from './results.ts'

/** What is left of a racer's work after it ends: no rate says more than this. */
const KEEPS: Readonly<Record<string, string>> = {
  product: 'raw events and windows, landed and committed',
  flink: 'windows, a checkpoint every 10 s',
  'streams-noshuffle exactly_once_v2': 'windows and a changelog, exactly once',
  'streams exactly_once_v2': 'windows and a changelog, exactly once',
  'streams at_least_once': 'windows and a changelog, at least once',
  'streams-noshuffle at_least_once': 'windows and a changelog, at least once',
  aggregate: 'nothing',
  consume: 'nothing',
  decode: 'nothing'
}
const NAMES: Readonly<Record<string, string>> = {
  product: '**Tallystream**',
  flink: 'Flink 2.3',
  'streams-noshuffle exactly_once_v2': 'Kafka Streams exactly once, no shuffle',
  'streams exactly_once_v2': 'Kafka Streams exactly once',
  aggregate: 'plain Java HashMap'
}
const KEEPS_NOTHING = new Set(['aggregate', 'consume', 'decode', 'product'])
/** What the product has to reach of the best peer that keeps its state. */
const RATIO_MIN = 1.5

/** One topic raced by all: a table, whether results are equal, and by how much who is ahead. */
export const raceSection = async (folder: string, topic: string): Promise<string | null> => {
  const lines = await readLines<RaceRun>(folder, `${topic}.ndjson`)
  if (lines === null) return null
  const runs = new Map<string, RaceRun[]>()
  for (const line of lines) runs.set(line.peer, [...(runs.get(line.peer) ?? []), line])
  const rates = [...runs].map(([peer, all]) => ({
    peer,
    rate: median(all.map(({ events_per_cpu_s: rate }) => rate))
  }))
  rates.sort((a, b) => b.rate - a.rate)
  const rows = rates.map(({ peer }) => rowOf(peer, runs.get(peer)!))
  const heads = ['racer', 'events a CPU-second', 'CPU-s per million', 'peak memory', 'keeps']
  return [table(heads, rows), equality(lines), ahead(rates)].join('\n\n')
}

const rowOf = (peer: string, runs: readonly RaceRun[]): string[] => {
  const rates = runs.map(({ events_per_cpu_s: rate }) => rate)
  const perMillion = median(runs.map(({ cpu_s: cpu, events }) => (cpu / events) * 1e6))
  const memory = runs.flatMap(({ peak_memory_mib: mib }) => (mib === undefined ? [] : [mib]))
  return [
    NAMES[peer] ?? peer,
    `${grouped(median(rates))} (${grouped(Math.min(...rates))} – ${grouped(Math.max(...rates))})`,
    perMillion.toFixed(2),
    memory.length === 0 ? '–' : `${Math.max(...memory)} MiB`,
    KEEPS[peer] ?? ''
  ]
}

const equality = (lines: readonly RaceRun[]): string => {
  const [first] = lines
  const results = new Set(lines.map(({ windows, checksum }) => `${windows} ${checksum}`))
  const shape = `${grouped(first!.events)} events, ${lines.length} runs`
  return results.size === 1
    ? `${shape}: all landed the same ${grouped(first!.windows)} windows, checksum ${first!.checksum}.`
    : `${shape}: **results differ**: ${[...results].join('; ')}.`
}

type Rate = { peer: string; rate: number }

const ahead = (rates: readonly Rate[]): string => {
  const product = rates.find(({ peer }) => peer === 'product')
  const best = rates.find(({ peer }) => !KEEPS_NOTHING.has(peer))
  if (product === undefined || best === undefined) return ''
  const ratio = product.rate / best.rate
  const verdict = ratio >= RATIO_MIN ? 'reached' : '**missed**'
  const plain = rates.find(({ peer }) => peer === 'aggregate')
  const aim =
    plain === undefined ? '' : ` Of the plain HashMap: ${(product.rate / plain.rate).toFixed(2)}.`
  return (
    `Against the best peer that keeps its state (${NAMES[best.peer] ?? best.peer}): ` +
    `${ratio.toFixed(2)} ×, of at least ${RATIO_MIN} ×: ${verdict}.${aim}`
  )
}
