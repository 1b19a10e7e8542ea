import { createGaps, GAP_BINS, servedCurve, type ServedCurve } from './served-curve.ts'
import { REMISS, RING_MINUTES, USUAL, valueAt } from './tenant-ring.ts'
import type { Records } from '../statistics/records.ts'

/**
 * Reused tokens of a pool by the time since their last use, minute by minute. What a cache usually
 * serves drifts with its traffic: both sides of a change must be held against one curve, that of the
 * minutes before it, though prompts were read against whichever was known at their time.
 */

/** Cells are minute-major: served and unserved tokens by gap, and what the reader took for usual. */
export type GapMinutes = {
  minutes: Float64Array
  hits: Float32Array
  misses: Float32Array
  usual: Float32Array
}

export const createGapMinutes = (): GapMinutes => ({
  minutes: new Float64Array(RING_MINUTES),
  hits: new Float32Array(RING_MINUTES * GAP_BINS),
  misses: new Float32Array(RING_MINUTES * GAP_BINS),
  usual: new Float32Array(RING_MINUTES)
})

/** Tokens with one gap: how many were served, how many were not, and how many usually are. */
export type GapRead = { bin: number; served: number; missed: number; usual: number }

export const noteGap = (ring: GapMinutes, minute: number, read: GapRead): void => {
  const row = minute % RING_MINUTES
  if (ring.minutes[row]! > minute) return
  if (ring.minutes[row]! < minute) {
    ring.minutes[row] = minute
    ring.usual[row] = 0
    ring.hits.fill(0, row * GAP_BINS, (row + 1) * GAP_BINS)
    ring.misses.fill(0, row * GAP_BINS, (row + 1) * GAP_BINS)
  }
  ring.hits[row * GAP_BINS + read.bin]! += read.served
  ring.misses[row * GAP_BINS + read.bin]! += read.missed
  ring.usual[row]! += read.usual
}

/** Share of reuse that the pool served by gap in [from, to). */
export const curveOf = (ring: GapMinutes, from: number, to: number): number[] => {
  const gaps = createGaps()
  for (let minute = from; minute < to; minute++) {
    const row = minute % RING_MINUTES
    if (ring.minutes[row] !== minute) continue
    for (let bin = 0; bin < GAP_BINS; bin++) {
      gaps.hits[bin]! += ring.hits[row * GAP_BINS + bin]!
      gaps.misses[bin]! += ring.misses[row * GAP_BINS + bin]!
    }
  }
  return servedCurve(gaps)
}

/** Of a tenant's minute: tokens that a curve says are usually served, and those of them that were not. */
export type Usage = { usual: number; remiss: number }
export type UsageAt = (slot: number, minute: number) => Usage

type Minutes = { gapMinutes: GapMinutes; ring: Records }

/** Reads tenants' minutes against one curve, all of a minute by the same factor; null = as they were read. */
export const usageAgainst = (pool: Minutes, curve: ServedCurve | null): UsageAt => {
  const factors = new Map<number, number>()
  return (slot, minute) => {
    const factor = factors.get(minute) ?? factorOf(pool.gapMinutes, minute, curve)
    factors.set(minute, factor)
    const usual = valueAt(pool.ring, slot, minute, USUAL)
    const remiss = valueAt(pool.ring, slot, minute, REMISS)
    return { usual: usual * factor, remiss: remiss + usual * (factor - 1) }
  }
}

const factorOf = (ring: GapMinutes, minute: number, curve: ServedCurve | null): number => {
  const row = minute % RING_MINUTES
  if (curve === null || ring.minutes[row] !== minute || ring.usual[row]! <= 0) return 1
  let usual = 0
  for (let bin = 0; bin < GAP_BINS; bin++) {
    usual += (ring.hits[row * GAP_BINS + bin]! + ring.misses[row * GAP_BINS + bin]!) * curve[bin]!
  }
  return usual / ring.usual[row]!
}

/** Arrays that a saved ring takes, in the order of its fields. */
export const GAP_MINUTE_ARRAYS = 4

export const savedGapMinutes = ({ minutes, hits, misses, usual }: GapMinutes) => [
  minutes,
  hits,
  misses,
  usual
]

export const restoreGapMinutes = ([minutes, hits, misses, usual]: Float64Array[]): GapMinutes => ({
  minutes: Float64Array.from(minutes ?? []),
  hits: Float32Array.from(hits ?? []),
  misses: Float32Array.from(misses ?? []),
  usual: Float32Array.from(usual ?? [])
})
