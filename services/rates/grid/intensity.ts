import { Failure } from '../../../schemas/failure.ts'

/**
 * Carbon intensity of electricity, by zone and hour. Location-based (what the grid emitted) and
 * market-based (what contracts say) figures answer different questions: a query names its basis and
 * gets that basis or nothing.
 */
export type IntensityBasis = 'location' | 'market'
export type IntensityResolution = 'hourly' | 'annual'

/** Lignite and peat come to less than half of it: what is beyond is another unit, or no figure. */
export const GRAMS_PER_KWH_MAX = 3000

export type Intensity = {
  gramsPerKwh: number
  zone: string
  basis: IntensityBasis
  resolution: IntensityResolution
  /** Where the figure is from, with its version. */
  source: string
  /** Set where another place stands in for the one asked for. */
  substitute: string | null
}

export type IntensityQuery = {
  /** ISO 3166-1 alpha-3 country or a grid zone of the provider's. */
  zone: string | null
  cloud?: string | null
  region?: string | null
  timeMs: number
  basis: IntensityBasis
}

/**
 * A source of intensities. Answers null where it knows nothing; never another basis. Pure per query:
 * what needs a network loads before, so that an hour that is settled again gets the same figure.
 */
export type IntensityProvider = {
  id: string
  /** Zones that it knows, where it can list them: what nobody knows is refused before it is asked. */
  zones?: ReadonlySet<string>
  intensityAt: (query: IntensityQuery) => Intensity | null
}

/** The first answer of several providers, in order: hourly data first, the annual table last. */
export const firstIntensity = (
  providers: readonly IntensityProvider[],
  query: IntensityQuery
): Intensity | null => {
  for (const provider of providers) {
    const intensity = provider.intensityAt(query)
    if (intensity === null || intensity.basis !== query.basis) continue
    if (isIntensity(intensity.gramsPerKwh)) return intensity
    throw unusable(provider, query, intensity)
  }
  return null
}

/** NaN is none, and neither is what no grid emits: a sum with it would look like a figure. */
const isIntensity = (grams: number): boolean => grams >= 0 && grams <= GRAMS_PER_KWH_MAX

const unusable = ({ id }: IntensityProvider, query: IntensityQuery, { gramsPerKwh }: Intensity) =>
  new Failure(
    'E_FACTOR_TABLE',
    `${id} answers ${gramsPerKwh} g/kWh for ${query.zone ?? query.region ?? 'no zone'} ` +
      `(${query.basis}) at ${new Date(query.timeMs).toISOString()}`,
    { hint: `An intensity is a number from 0 to ${GRAMS_PER_KWH_MAX}; null where none is known.` }
  )
