import { Failure } from '../../schemas/failure.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { boundaryEnergy, pueCloud } from '../../services/rates/energy/boundary.ts'
import { ANNUAL_INTENSITY, regionCountry } from '../../services/rates/grid/annual.ts'
import { carbonGrams } from '../../services/rates/grid/carbon.ts'
import {
  firstIntensity,
  type Intensity,
  type IntensityBasis,
  type IntensityProvider
} from '../../services/rates/grid/intensity.ts'

/** Carbon of one zone, hour and basis: what calls drew at the site, times what the grid emitted. */
export type CarbonHour = {
  zone: string
  hour: string
  basis: IntensityBasis
  site_j: number
  g_per_kwh: number
  grams: number
  resolution: Intensity['resolution']
  source: string
  /** Set where another place stands in for the one asked for. */
  substitute: string | null
}

/** `covered` is the share of the energy for which that basis is known; null where it never is. */
export type BasisCarbon = {
  grams: number
  covered: number
  /** SCI for AI, operational part alone: grams per functional unit. */
  g_per_call: number
  g_per_out_token: number | null
  g_per_task_passed: number | null
}
/** Two answers to two questions: they are never added, and one never stands in for the other. */
export type Carbon = { location: BasisCarbon | null; market: BasisCarbon | null }

type Sums = { siteJoules: number; calls: number; tokens: number; passed: number }
type Cell = Sums & {
  key: string | null
  hourMs: number
  provider: string | null
  region: string | null
}
type Options = { intensities: readonly IntensityProvider[]; zone: string | null }

const BASES = ['location', 'market'] as const

/** @throws Failure E_USAGE for a zone that no provider knows: the world's mean would answer for it. */
export const assertZone = ({ zone, intensities }: Options): void => {
  const providers = [...intensities, ANNUAL_INTENSITY]
  if (zone === null || providers.some(({ zones }) => zones?.has(zone) ?? true)) return
  throw new Failure('E_USAGE', `the grid zone "${zone}" is not known`, {
    hint: 'Zones are ISO 3166-1 alpha-3 countries such as DEU, and those of the intensity table.'
  })
}

/** Carbon of the calls in `report_calls`, by zone and hour, and by the groups of an expression. */
export const carbonOf = async (
  engine: Engine,
  by: string,
  options: Options
): Promise<{ hours: CarbonHour[]; groups: Map<string | null, Carbon> }> => {
  const cells = await cellsOf(engine, by)
  const passed = await passedTasks(engine, by)
  const hours = new Map<string, CarbonHour>()
  const grams = new Map<string | null, Record<IntensityBasis, { grams: number; joules: number }>>()
  for (const cell of cells) {
    const sums = grams.get(cell.key) ?? {
      location: { grams: 0, joules: 0 },
      market: { grams: 0, joules: 0 }
    }
    grams.set(cell.key, sums)
    for (const basis of BASES) {
      const intensity = intensityOf(cell, basis, options)
      if (intensity === null) continue
      const emitted = carbonGrams(cell.siteJoules, intensity)
      sums[basis].grams += emitted
      sums[basis].joules += cell.siteJoules
      addHour(hours, cell, { intensity, emitted })
    }
  }
  const groups = [...grams].map(([key, sums]) => {
    const own = cells.filter((cell) => cell.key === key)
    const whole = { ...totalOf(own), passed: passed.get(key) ?? 0 }
    return [
      key,
      { location: basisCarbon(sums.location, whole), market: basisCarbon(sums.market, whole) }
    ] as const
  })
  const ordered = [...hours].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, hour]) => hour)
  return { hours: ordered, groups: new Map(groups) }
}

const cellsOf = async (engine: Engine, by: string): Promise<Cell[]> => {
  const rows = await engine.rows(`SELECT ${by} AS key, epoch_ms(hour)::DOUBLE AS hour_ms, provider,
      region, sum(coalesce(measured_j + filled_j, mid_j)) AS j, count(*)::DOUBLE AS calls,
      coalesce(sum(out_tokens), 0)::DOUBLE AS tokens
    FROM temp.report_calls WHERE coalesce(measured_j, mid_j) IS NOT NULL GROUP BY ALL ORDER BY ALL`)
  return rows.map((row) => {
    const provider = row['provider'] as string | null
    const joules = Number(row['j'])
    const { site } = boundaryEnergy({ low: joules, mid: joules, high: joules }, provider)
    return {
      key: row['key'] as string | null,
      hourMs: Number(row['hour_ms']),
      provider,
      region: row['region'] as string | null,
      siteJoules: site.mid,
      calls: Number(row['calls']),
      tokens: Number(row['tokens']),
      passed: 0
    }
  })
}

const passedTasks = async (engine: Engine, by: string): Promise<Map<string | null, number>> => {
  const rows = await engine.rows(`SELECT ${by} AS key, count(DISTINCT task)::DOUBLE AS n
    FROM temp.report_calls WHERE passed GROUP BY key`)
  return new Map(rows.map((row) => [row['key'] as string | null, Number(row['n'])]))
}

const intensityOf = (
  { provider, region, hourMs }: Cell,
  basis: IntensityBasis,
  { intensities, zone }: Options
): Intensity | null => {
  const cloud = pueCloud(provider)
  const country = regionCountry(cloud, region)
  // The zone that was given is of calls that nobody can place, and never of those of another country.
  const given = country === null ? zone : null
  const query = { cloud, region, timeMs: hourMs, basis }
  // A provider of hours may know the region itself as a zone, else its country.
  for (const place of [region, country, given]) {
    if (place === null) continue
    const hourly = firstIntensity(intensities, { ...query, zone: place })
    if (hourly !== null) return hourly
  }
  return firstIntensity([ANNUAL_INTENSITY], { ...query, zone: given })
}

const addHour = (
  hours: Map<string, CarbonHour>,
  { hourMs, siteJoules }: Cell,
  { intensity, emitted }: { intensity: Intensity; emitted: number }
): void => {
  const { basis, zone, gramsPerKwh, resolution, source, substitute } = intensity
  const hour = new Date(hourMs).toISOString()
  const key = JSON.stringify([hour, zone, basis, source, substitute])
  const known = hours.get(key)
  hours.set(key, {
    zone,
    hour,
    basis,
    site_j: (known?.site_j ?? 0) + siteJoules,
    g_per_kwh: gramsPerKwh,
    grams: (known?.grams ?? 0) + emitted,
    resolution,
    source,
    substitute
  })
}

const totalOf = (cells: readonly Cell[]): Sums =>
  cells.reduce<Sums>(
    (sum, { siteJoules, calls, tokens }) => ({
      siteJoules: sum.siteJoules + siteJoules,
      calls: sum.calls + calls,
      tokens: sum.tokens + tokens,
      passed: 0
    }),
    { siteJoules: 0, calls: 0, tokens: 0, passed: 0 }
  )

/** Per unit only over what is covered, so that a half-known basis does not look clean. */
const basisCarbon = (
  { grams, joules }: { grams: number; joules: number },
  whole: Sums
): BasisCarbon | null => {
  if (joules === 0) return null
  const covered = joules / whole.siteJoules
  const per = (units: number): number | null => (units > 0 ? grams / (units * covered) : null)
  return {
    grams,
    covered,
    g_per_call: per(whole.calls) ?? 0,
    g_per_out_token: per(whole.tokens),
    g_per_task_passed: per(whole.passed)
  }
}
