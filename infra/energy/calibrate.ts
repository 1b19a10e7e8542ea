import { createHash } from 'node:crypto'
import { METHOD_VERSION } from '../../services/rates/energy/estimate.ts'
import type { EnergyFactors } from '../../services/rates/energy/factors.ts'
import {
  leaveArchitecturesOut,
  learnFactors,
  type Prediction,
  type View
} from './cross-validation.ts'
import { ecologitsOfRow } from './ecologits.ts'
import { renderPage } from './page.ts'
import {
  parseReferenceRows,
  type ReferenceRow
} from '../../services/rates/energy/reference-rows.ts'

/**
 * Fits the energy factors to the reference rows and measures them on held-out architectures. The
 * same rows give the same bytes: there is no randomness, no clock and no network in it.
 */
export type Calibration = { factorsJson: string; page: string }

const SECTIONS: readonly { title: string; view: View }[] = [
  {
    title: 'batch',
    view: { knowledge: 'batch', engineKnown: false, nameKnown: true }
  },
  {
    title: 'batch, year of software',
    view: { knowledge: 'batch', engineKnown: true, nameKnown: true }
  },
  {
    title: 'batch and latency',
    view: { knowledge: 'batch_and_latency', engineKnown: false, nameKnown: true }
  },
  {
    title: 'latency',
    view: { knowledge: 'latency', engineKnown: false, nameKnown: true }
  },
  {
    title: 'latency, year of software',
    view: { knowledge: 'latency', engineKnown: true, nameKnown: true }
  },
  {
    title: 'neither',
    view: { knowledge: 'neither', engineKnown: false, nameKnown: true }
  },
  {
    title: 'batch, year; parameter counts in place of a name',
    view: { knowledge: 'batch', engineKnown: true, nameKnown: false }
  }
]
const DETAIL_SECTION = 1

export const calibrate = (csv: string): Calibration => {
  const rows = parseReferenceRows(csv).filter(({ anomalous }) => !anomalous)
  const factors = withVersion(learnFactors(rows), rows, csv)
  const heldOut = leaveArchitecturesOut(
    rows,
    SECTIONS.map(({ view }) => view)
  )
  const page = renderPage({
    factors,
    sections: SECTIONS.map(({ title }, index) => ({ title, predictions: heldOut[index] ?? [] })),
    rival: rows.map(rivalPrediction),
    detail: heldOut[DETAIL_SECTION] ?? [],
    command: 'npm run calibrate'
  })
  return { factorsJson: `${JSON.stringify(factors, null, 2)}\n`, page }
}

const rivalPrediction = (row: ReferenceRow): Prediction => {
  const mid = ecologitsOfRow(row)
  const measured = row.joulesPerOutputToken * row.outputTokens
  return { row, knowledge: 'neither', low: mid, mid, high: mid, error: Math.log(measured / mid) }
}

const VERSION_HEX_DIGITS = 8

// The version is a digest of everything the estimate reads, so equal versions mean equal results.
const withVersion = (
  learned: EnergyFactors,
  rows: readonly ReferenceRow[],
  csv: string
): EnergyFactors => {
  const provenance = {
    rows: rows.length,
    architectures: [...new Set(rows.map(({ architecture }) => architecture))].sort(),
    reference: 'infra/energy/reference/rows.csv',
    referenceSha256: createHash('sha256').update(csv).digest('hex'),
    method: METHOD_VERSION
  }
  const content = rounded({ ...learned, version: '', provenance })
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  return { ...content, version: `energy-${digest.slice(0, VERSION_HEX_DIGITS)}` }
}

const SIGNIFICANT_DIGITS = 6

const rounded = (factors: EnergyFactors): EnergyFactors =>
  JSON.parse(
    JSON.stringify(factors, (_key, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(SIGNIFICANT_DIGITS)) : value
    )
  ) as EnergyFactors
