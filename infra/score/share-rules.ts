import type { ShareWindow } from '../worlds/bad-share.ts'

/** Rules that products offer for a rising share; each is told every non-empty minute. */
export type ShareRule = { name: string; observe: (window: ShareWindow) => boolean }

const HOUR = 60
const DAY = 1440

/** Running sums over the last minutes. */
const createSums = (minutes: number) => {
  const kept: ShareWindow[] = []
  const sum = { n: 0, k: 0 }
  let first = 0
  return {
    sum,
    add: ({ minute, n, k }: ShareWindow): void => {
      kept.push({ minute, n, k })
      sum.n += n
      sum.k += k
      while (kept[first]!.minute <= minute - minutes) {
        sum.n -= kept[first]!.n
        sum.k -= kept[first]!.k
        first += 1
      }
    }
  }
}

const fixed = (threshold: number): ShareRule => {
  const { sum, add } = createSums(5)
  return {
    name: `5-minute share above ${Math.round(threshold * 100)} %, 20 calls or more`,
    observe: (window) => {
      add(window)
      return sum.n >= 20 && sum.k / sum.n > threshold
    }
  }
}

const relative = (span: number, ratio: number, calls: number): ShareRule => {
  const now = createSums(span)
  const day = createSums(DAY)
  return {
    name: `${span}-minute share above ${ratio} times the day's, ${calls} calls or more`,
    observe: (window) => {
      now.add(window)
      day.add(window)
      return now.sum.n >= calls && now.sum.k / now.sum.n > (ratio * day.sum.k) / day.sum.n
    }
  }
}

const score = (): ShareRule => {
  const shares: number[] = []
  return {
    name: '1-minute share 3 standard deviations above the last hour',
    observe: ({ n, k }) => {
      const mean = shares.reduce((sum, x) => sum + x, 0) / Math.max(1, shares.length)
      const square =
        shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, shares.length)
      const fires = shares.length >= 20 && (k / n - mean) / Math.sqrt(Math.max(square, 1e-6)) > 3
      shares.push(k / n)
      if (shares.length > HOUR) shares.shift()
      return fires
    }
  }
}

/** Fresh rules for one tenant whose usual share is about so much. */
export const shareRules = (usual: number): ShareRule[] => [
  fixed(2.5 * usual),
  relative(15, 2, 10),
  relative(60, 2, 50),
  score()
]
