import type { Intensity } from './intensity.ts'

const JOULES_PER_KWH = 3_600_000

/** Grams of CO2-equivalent of energy at the site boundary. */
export const carbonGrams = (siteJoules: number, intensity: Intensity): number =>
  (siteJoules / JOULES_PER_KWH) * intensity.gramsPerKwh

export type WaterFactors = {
  /** Litres evaporated on site per kWh of IT energy. */
  onSiteLitresPerKwh: number
  /** Litres per kWh of electricity generated. */
  offSiteLitresPerKwh: number
  pue: number
}

/**
 * Litres of water. The on-site factor is per kWh of IT energy, so PUE multiplies the off-site part
 * alone: multiplying both counts cooling twice.
 */
export const waterLitres = (
  itJoules: number,
  { onSiteLitresPerKwh, offSiteLitresPerKwh, pue }: WaterFactors
): number => (itJoules / JOULES_PER_KWH) * (onSiteLitresPerKwh + pue * offSiteLitresPerKwh)

/** Carbon summed over calls: by basis, since a sum across bases means nothing. */
export type CarbonTotals = Readonly<Record<'location' | 'market', number>>

export const addCarbon = (
  totals: CarbonTotals,
  siteJoules: number,
  intensity: Intensity
): CarbonTotals => ({
  ...totals,
  [intensity.basis]: totals[intensity.basis] + carbonGrams(siteJoules, intensity)
})
