import {
  BLOCK_ROWS,
  EstimateBlock,
  type CallColumns,
  type EnergyColumns
} from './estimate-block.ts'

/** `estimateEnergy` of many calls, without an object for each. */
export const estimateColumns = (calls: CallColumns): EnergyColumns => {
  const rows = calls.out.length
  const low = new Float64Array(rows)
  const mid = new Float64Array(rows)
  const high = new Float64Array(rows)
  const tier = new Int32Array(rows)
  const block = new EstimateBlock(Math.min(rows, BLOCK_ROWS))
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - from)
    block.estimate(calls, from, count)
    low.set(block.low.subarray(0, count), from)
    mid.set(block.mid.subarray(0, count), from)
    high.set(block.high.subarray(0, count), from)
    tier.set(block.tier.subarray(0, count), from)
  }
  return { low, mid, high, tier }
}
