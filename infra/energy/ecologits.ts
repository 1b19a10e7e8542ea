import type { ReferenceRow } from '../../services/rates/energy/reference-rows.ts'

/**
 * The GPU part of EcoLogits 0.11.3 (MPL-2.0), by its published formula, for comparison on the same
 * rows: a regression per output token at a fixed batch of 64, times a GPU count from memory. A test
 * holds it against the package itself. Input tokens, GPU type and precision play no part in it.
 */
const ALPHA = 1.1665273170451914e-6
const BETA = -0.011205921025579175
const GAMMA = 4.052928146734005e-5
const BATCH_SIZE = 64
const BITS = 16
const MEMORY_MARGIN = 1.2
const GPU_GIGABYTES = 80
const JOULES_PER_WATT_HOUR = 3600

/** GPU energy of one request in J, as shipped. */
export const ecologitsJoules = (totalB: number, activeB: number, outputTokens: number): number => {
  const wattHours = ALPHA * Math.exp(BETA * BATCH_SIZE) * activeB + GAMMA
  const gpus =
    2 ** Math.ceil(Math.log2(Math.ceil((MEMORY_MARGIN * totalB * BITS) / 8 / GPU_GIGABYTES)))
  return outputTokens * wattHours * JOULES_PER_WATT_HOUR * gpus
}

/** The same for a reference row. */
export const ecologitsOfRow = (row: ReferenceRow): number =>
  ecologitsJoules(row.totalB, row.activeB, row.outputTokens)
