import diurnal from '../../services/signals/diurnal-drift/signal.ts'
import reranker from '../../services/signals/reranker-drift/signal.ts'
import { diurnalMinute, drawDiurnalTenants, playDiurnal } from '../worlds/diurnal.ts'
import { rerankMinute } from '../worlds/rerank-minutes.ts'
import { ofAll, readText, type RealRow } from './real-rows.ts'

/** Real systems that rank, one swapped for another; and real clients over two weeks. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000

type List = { query: string; documents: string[]; scores: number[] }

/** By system: its ranked list of each topic, in order of topics. */
const readSystems = (): List[][] => {
  const systems = new Map<string, Map<string, List>>()
  const lines = readText('reranker-scores/trec_robust03_runs_top50.csv.gz').trim().split('\n')
  for (const line of lines.slice(1)) {
    const [system = '', query = '', , document = '', score = ''] = line.split(',')
    const topics = systems.get(system) ?? new Map<string, List>()
    systems.set(system, topics)
    const list = topics.get(query) ?? { query, documents: [], scores: [] }
    topics.set(query, list)
    list.documents.push(document)
    list.scores.push(Number(score))
  }
  return [...systems.values()].map((topics) =>
    [...topics.values()].sort((a, b) => Number(a.query) - Number(b.query))
  )
}

/** One query a minute; numbers of the queries at which something fired. */
const firedAt = (lists: readonly List[]): number[] => {
  const fold = reranker.open()
  return lists.flatMap((list, at) => {
    const ms = START_MS + at * MINUTE_MS
    const drafts = fold.fold(rerankMinute(ms, [{ ...list, ms, candidates: 100 }]))
    return drafts.filter(({ status }) => status === 'firing').map(() => at)
  })
}

export const scoreRerankers = (): RealRow[] => {
  const systems = readSystems()
  const swaps = systems.flatMap((before) =>
    systems.filter((after) => after !== before).map((after) => ({ before, after }))
  )
  const delays = swaps.flatMap(({ before, after }) => {
    const fired = firedAt([...before, ...after])
    return fired.length === 1 && fired[0]! >= before.length ? [fired[0]! - before.length + 1] : []
  })
  const halves = systems.flatMap((lists) => {
    const [odd, even] = [1, 0].map((rest) => lists.filter((_, index) => index % 2 === rest))
    return [lists, [...odd!, ...even!], [...lists, ...lists]]
  })
  const silent = halves.filter((lists) => firedAt(lists).length === 0)
  return [
    {
      data: `TREC Robust 2003, ${systems.length} systems`,
      signal: 'reranker-drift',
      told: `${ofAll(delays.length, swaps.length)} swaps, within ${Math.max(...delays)} queries`,
      silent: `${ofAll(silent.length, halves.length)} of one system, in halves or twice`
    }
  ]
}

const WINDOWS = 14 * 144
/** Clients with traffic in nearly all windows: of the others there is no wave to learn. */
const ACTIVE_MIN = 1900
const CLIENTS_MAX = 20

const readClients = (): Float64Array[] => {
  const rates = new Map<string, Float64Array>()
  for (const line of readText('servegen/m-small.rates.csv.gz').trim().split('\n').slice(1)) {
    const [client = '', start, rate] = line.split(',')
    const known = rates.get(client) ?? new Float64Array(WINDOWS)
    rates.set(client, known)
    known[Number(start) / 600] = Number(rate)
  }
  return [...rates.values()]
    .filter((rate) => rate.filter((one) => one > 0).length > ACTIVE_MIN)
    .slice(0, CLIENTS_MAX)
}

const hasFinding = (rate: Float64Array, seed: number): boolean => {
  const mean = rate.reduce((sum, one) => sum + one, 0) / rate.length
  const volume = (minute: number): number => (rate[Math.floor(minute / 10)] ?? 0) / mean
  const [drawn] = drawDiurnalTenants(1, 60 + seed)
  const tenant = { ...drawn!, callsPerMinute: 1.5 }
  const fold = diurnal.open()
  let found = false
  const run = { tenant, startMs: START_MS, days: 14, change: null, seed, volume }
  playDiurnal(run, (one) => {
    const drafts = fold.fold(diurnalMinute(START_MS, one))
    found ||= drafts.some(({ status }) => status === 'firing')
  })
  return found
}

export const scoreClients = (): RealRow[] => {
  const clients = readClients()
  const silent = clients.filter((rate, seed) => !hasFinding(rate, 70 + seed))
  return [
    {
      data: 'ServeGen m-small, 14 days of real volumes',
      signal: 'diurnal-drift',
      told: '',
      silent: `${ofAll(silent.length, clients.length)} clients, slower when busy`
    }
  ]
}
