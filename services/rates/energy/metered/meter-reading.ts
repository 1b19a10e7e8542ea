import { findGpu, gpuByName, DEFAULT_GPU } from '../gpu.ts'
import type { SeriesSample } from './exposition.ts'

/** A reading of one GPU's meter. `unit` is null where only the rate of change can tell it. */
export type MeterReading = {
  host: string
  gpu: string
  gpuModel: string | null
  timeMs: number
  kind: 'energy' | 'power'
  unit: MeterUnit | null
  value: number
}

export type MeterUnit = 'J' | 'mJ' | 'W' | 'mW'

export type MeterText = {
  readings: MeterReading[]
  /** What was left out, for people: series that speak of power and are no known meter, empty cells. */
  ignored: string[]
}

type Series = { match: RegExp; kind: MeterReading['kind']; unit: MeterUnit | null }

// First match wins. The DCGM exporter counted millijoules under the first name until 4.8 and renamed
// its fields with 4.9, which counts joules; a name that does not say its unit is judged by its rate.
// Limits, violations and shares of power are not draws.
const SERIES: readonly Series[] = [
  { match: /^DCGM_\w*ENERGY\w*_JOULES(_total)?$/i, kind: 'energy', unit: 'J' },
  { match: /^DCGM_\w*ENERGY\w*_MILLIJOULES(_total)?$/i, kind: 'energy', unit: 'mJ' },
  { match: /^DCGM_FI_DEV_\w*ENERGY\w*$/, kind: 'energy', unit: null },
  {
    match: /^DCGM_FI_DEV_(?!.*(LIMIT|VIOLATION|PROFILE|CAP))\w*POWER\w*_MILLIWATTS$/i,
    kind: 'power',
    unit: 'mW'
  },
  { match: /^DCGM_FI_DEV_POWER_USAGE(_INSTANT)?$/, kind: 'power', unit: 'W' },
  {
    match: /^DCGM_FI_DEV_(?!.*(LIMIT|VIOLATION|PROFILE|CAP))\w*POWER\w*_WATTS$/i,
    kind: 'power',
    unit: 'W'
  },
  { match: /^(nvidia_smi|all_smi|zeus)_\w*energy\w*_joules(_total)?$/, kind: 'energy', unit: 'J' },
  { match: /^nvml_total_energy_consumption(_total)?$/i, kind: 'energy', unit: 'mJ' },
  { match: /^nvidia_smi_power_draw(_instant)?_watts$/, kind: 'power', unit: 'W' }
]

const firstLabel = (
  labels: Readonly<Record<string, string>>,
  names: readonly string[]
): string | null => names.map((name) => labels[name]).find((value) => value !== undefined) ?? null

/**
 * GPU readings out of scraped series. Host from `Hostname`, `hostname` (renamed in 4.8.3) or
 * `instance`; GPU from its UUID, so that the copies that time-slicing and MIG put on every pod are
 * one GPU. Series that are no meter are left out.
 */
export const meterReadings = (
  samples: readonly SeriesSample[],
  scrapeTimeMs: number | null = null
): MeterReading[] =>
  samples.flatMap(({ name, labels, value, timeMs }) => {
    const series = SERIES.find(({ match }) => match.test(name))
    const time = timeMs ?? scrapeTimeMs
    if (series === undefined || time === null) return []
    // No meter draws or counts below 0: what says so is broken for that moment, and missing.
    if (!Number.isFinite(value) || value < 0) return []
    // A chassis counter holds the GPUs again.
    if (labels['scope'] !== undefined && labels['scope'] !== 'gpu') return []
    const index = firstLabel(labels, ['gpu', 'gpu_index', 'device'])
    return [
      {
        host: firstLabel(labels, ['Hostname', 'hostname', 'host', 'instance']) ?? '',
        gpu: firstLabel(labels, ['UUID', 'uuid', 'gpu_uuid']) ?? index ?? '',
        gpuModel: firstLabel(labels, ['modelName', 'model_name', 'name']),
        timeMs: time,
        kind: series.kind,
        unit: series.unit,
        value
      }
    ]
  })

/** An NVML or Zeus reading: the counter in millijoules since the driver was loaded. */
export type NvmlReading = { host: string; gpuUuid: string; timeMs: number; totalEnergyMj: number }

export const nvmlReading = (reading: NvmlReading): MeterReading => ({
  host: reading.host,
  gpu: reading.gpuUuid,
  gpuModel: null,
  timeMs: reading.timeMs,
  kind: 'energy',
  unit: 'mJ',
  value: reading.totalEnergyMj
})

/** Boards exceed their rated power for moments; a counter that claims more is in another unit. */
const POWER_MARGIN = 1.5
/** No board with a counter draws less than this, asleep or not. */
export const POWER_WATTS_MIN = 2
/** Seven times the largest board there is: a single one that claims more is told in another unit. */
export const BOARD_WATTS_MAX = 10_000

/** Watts above which a reading is not one of that board. */
export const boardWattsMax = (
  gpuModel: string | null | undefined,
  powerWattsMax: number | null
): number => {
  const model = findGpu(gpuModel) ?? gpuByName(DEFAULT_GPU)
  return (powerWattsMax ?? model.powerWattsMax) * POWER_MARGIN
}

/**
 * Unit of a counter whose name does not tell it, from its rate: the one unit under which the power
 * between readings lies between what a sleeping board draws and 1.5 times what the board may. Null
 * when no span tells, or when spans disagree (an exporter that changed units): then the meter is
 * refused.
 */
export const energyUnitByRate = (
  readings: readonly MeterReading[],
  powerWattsMax: number | null = null
): 'J' | 'mJ' | null => {
  const sorted = readings.toSorted((a, b) => a.timeMs - b.timeMs)
  const top = boardWattsMax(sorted[0]?.gpuModel, powerWattsMax)
  const fits = (watts: number): boolean => watts >= POWER_WATTS_MIN && watts <= top
  const rates = sorted.slice(1).map((reading, index) => {
    const previous = sorted[index] ?? reading
    return ((reading.value - previous.value) * 1000) / (reading.timeMs - previous.timeMs)
  })
  const inJoules = rates.some(fits)
  const inMillijoules = rates.some((rate) => fits(rate / 1000))
  if (inJoules === inMillijoules) return null
  return inJoules ? 'J' : 'mJ'
}
