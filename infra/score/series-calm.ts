import { createRandom } from '../worlds/random.ts'
import type { SeriesDetector } from './series-rivals.ts'

/** Seeded series in which nothing changes for good, and how many changes each detector tells. */

const POINTS = 500
const SEEDS = Array.from({ length: 30 }, (_, index) => 3000 + index)

type Calm = { kept: number; level: (index: number) => number }

/** Standard deviation 1 around the level; each value keeps a share of the one before. */
const drawCalm = ({ kept, level }: Calm, seed: number): number[] => {
  const random = createRandom(seed)
  let last = 0
  return Array.from({ length: POINTS }, (_, index) => {
    last = kept * last + Math.sqrt(1 - kept * kept) * random.normal()
    return level(index) + last
  })
}

const KINDS: readonly (Calm & { name: string })[] = [
  { name: 'noise', kept: 0, level: () => 0 },
  { name: 'steady climb', kept: 0, level: (index) => index / 30 },
  { name: 'each value keeps 0.9', kept: 0.9, level: () => 0 },
  { name: 'waves of 96', kept: 0, level: (index) => 3 * Math.sin((index * Math.PI) / 48) }
]

export const calmTable = (detectors: readonly SeriesDetector[]): string => {
  const cells = detectors.map(({ name, run }) => {
    const counts = KINDS.map((kind) =>
      SEEDS.reduce((sum, seed) => sum + run(drawCalm(kind, seed)).changes.length, 0)
    )
    return `| ${name} | ${counts.join(' | ')} |`
  })
  return [
    `| changes told in ${SEEDS.length * POINTS} points without one | ${KINDS.map(({ name }) => name).join(' | ')} |`,
    `|---|${KINDS.map(() => '---|').join('')}`,
    ...cells
  ].join('\n')
}
