/**
 * Carbon intensity of electricity, by zone and hour. Location-based (what the grid emitted) and
 * market-based (what contracts say) figures answer different questions: a query names its basis and
 * gets that basis or nothing.
 */
export type IntensityBasis = 'location' | 'market'
export type IntensityResolution = 'hourly' | 'annual'

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
  intensityAt: (query: IntensityQuery) => Intensity | null
}

/** The first answer of several providers, in order: hourly data first, the annual table last. */
export const firstIntensity = (
  providers: readonly IntensityProvider[],
  query: IntensityQuery
): Intensity | null => {
  for (const provider of providers) {
    const intensity = provider.intensityAt(query)
    if (intensity !== null && intensity.basis === query.basis) return intensity
  }
  return null
}
