import type { HitWindow } from '../worlds/hit-rate.ts'

/** Rules that products offer for a falling hit rate; each is told every non-empty minute. */
export type NaiveRule = { name: string; observe: (window: HitWindow) => boolean }

const HOUR = 60
const DAY = 1440

/** Sums over the last minutes, from a ring of minutes. */
const createRing = (minutes: number) => {
  const ring = Array.from({ length: minutes }, () => ({ minute: -1, n: 0, w: 0, h: 0 }))
  return {
    add: ({ minute, n, w, h }: HitWindow) => {
      ring[minute % minutes] = { minute, n, w, h }
    },
    over: (now: number, span: number) => {
      const sum = { n: 0, w: 0, h: 0 }
      for (let minute = Math.max(0, now - span + 1); minute <= now; minute++) {
        const cell = ring[minute % minutes]!
        if (cell.minute !== minute) continue
        sum.n += cell.n
        sum.w += cell.w
        sum.h += cell.h
      }
      return sum
    }
  }
}

const fixed = (): NaiveRule => {
  const ring = createRing(5)
  return {
    name: '5-minute hit rate below 50 %, 20 requests or more',
    observe: (window) => {
      ring.add(window)
      const { n, w, h } = ring.over(window.minute, 5)
      return n >= 20 && h / w < 0.5
    }
  }
}

const relative = (name: string, span: number, ratio: number, requests: number): NaiveRule => {
  const ring = createRing(DAY)
  return {
    name,
    observe: (window) => {
      ring.add(window)
      const now = ring.over(window.minute, span)
      if (now.n < requests) return false
      const day = ring.over(window.minute, DAY)
      return now.h / now.w < (ratio * day.h) / day.w
    }
  }
}

const score = (): NaiveRule => {
  const rates: number[] = []
  return {
    name: '1-minute rate 3 standard deviations below the last hour',
    observe: ({ w, h }) => {
      const rate = h / w
      const mean = rates.reduce((sum, x) => sum + x, 0) / Math.max(1, rates.length)
      const square = rates.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, rates.length)
      const fires = rates.length >= 20 && (mean - rate) / Math.sqrt(Math.max(square, 1e-6)) > 3
      rates.push(rate)
      if (rates.length > HOUR) rates.shift()
      return fires
    }
  }
}

/** Fresh rules for one tenant. */
export const naiveRules = (): NaiveRule[] => [
  fixed(),
  relative('15-minute rate below half of the day, 10 requests or more', 15, 0.5, 10),
  relative('60-minute rate below 0.3 of the day, 50 requests or more', 60, 0.3, 50),
  score()
]
