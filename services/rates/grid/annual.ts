import table from './annual-intensity.json' with { type: 'json' }
import { regionZone } from './cloud-region.ts'
import type { Intensity, IntensityProvider, IntensityQuery } from './intensity.ts'

type AnnualRow = { zone: string; g: number; cloud?: string; region?: string; water?: number }

const ROWS = table.rows as AnnualRow[]
const COUNTRIES = new Map(ROWS.filter(({ cloud }) => cloud === undefined).map((r) => [r.zone, r]))
const REGIONS = new Map(
  ROWS.filter(({ cloud }) => cloud !== undefined).map((r) => [`${r.cloud}/${r.region}`, r])
)
/** The zone that stands for the world in the table. */
const WORLD = 'WOR'

/**
 * The fallback that ships: annual means, location-based. A cloud region that the table lacks is
 * answered by its country, an unknown place by the world, each named as a substitute.
 */
export const ANNUAL_INTENSITY: IntensityProvider = {
  id: table.version,
  zones: new Set(COUNTRIES.keys()),
  intensityAt: (query) => (query.basis === 'location' ? annualIntensity(query) : null)
}

/** Country of a cloud's region; null where nobody knows it. */
export const regionCountry = (
  cloud: string | null | undefined,
  region: string | null | undefined
): string | null => REGIONS.get(`${cloud ?? ''}/${region ?? ''}`)?.zone ?? regionZone(region)

const annualIntensity = ({ zone, cloud, region }: IntensityQuery): Intensity | null => {
  const exact = REGIONS.get(`${cloud ?? ''}/${region ?? ''}`)
  if (exact !== undefined) return answer(exact, null)
  const country = COUNTRIES.get(zone ?? '')
  if (country !== undefined) return answer(country, null)
  const mapped = regionZone(region)
  const ofRegion = mapped === null ? undefined : COUNTRIES.get(mapped)
  if (ofRegion !== undefined) return answer(ofRegion, `country of region ${region ?? ''}`)
  const world = COUNTRIES.get(WORLD)
  return world === undefined ? null : answer(world, 'world mean: the place is not known')
}

const answer = (row: AnnualRow, substitute: string | null): Intensity => ({
  gramsPerKwh: row.g,
  zone: row.zone,
  basis: 'location',
  resolution: 'annual',
  source: `${table.version}: ${row.cloud === undefined ? table.sources.country : table.sources['cloud-region']}`,
  substitute
})

/** Off-site water of a country's electricity, L per kWh; null where the table has none. */
export const waterOffsiteLitresPerKwh = (zone: string): number | null =>
  COUNTRIES.get(zone)?.water ?? null
