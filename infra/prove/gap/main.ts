import { INJECTIONS } from '../../../jobs/reconcile/fixtures/injections.ts'
import { MIX_SHAPES, type ShapeName } from '../../../jobs/reconcile/fixtures/mix-shapes.ts'
import {
  FOUND_MIN,
  loadImporters,
  scoreMixes
} from '../../../jobs/reconcile/fixtures/score-mixes.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'

/**
 * Proves that differences between bills and record are explained by their causes: mixes of every
 * shape, from seeds of FIRST_SEED on. Every cause of the usual shape must reach the bar; of the
 * others the figures are told.
 */
const MIXES = Number(process.env['MIXES'] ?? 1000)
const MIXES_OTHER = Number(process.env['MIXES_OTHER'] ?? 100)
const FIRST_SEED = Number(process.env['FIRST_SEED'] ?? 910_001)

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`
const [book, importers] = [await loadBook(), await loadImporters()]

/** Prints the scores of a shape; false when a cause stays below the bar. */
const prove = (shape: ShapeName, count: number): boolean => {
  const { causes, wrongShare, unbalanced } = scoreMixes(book, importers, {
    first: FIRST_SEED,
    count,
    shape
  })
  process.stdout.write(`${shape}: ${count} mixes from seed ${FIRST_SEED}\n`)
  let isReached = unbalanced === 0
  for (const cause of INJECTIONS) {
    const score = causes.get(cause)
    if (score === undefined || score.mixes === 0) continue
    const part = score.found / score.injected
    isReached &&= part >= FOUND_MIN
    process.stdout.write(
      `  ${cause.padEnd(24)} $${(score.injected / 1e12).toFixed(2).padStart(9)} ${percent(part).padStart(9)}` +
        `  in ${score.mixesReached} of ${score.mixes} mixes ${percent(FOUND_MIN)} and more\n`
    )
  }
  process.stdout.write(
    `  under a wrong cause ${percent(wrongShare)}; unbalanced cells ${unbalanced}\n`
  )
  return isReached
}

const isProved = prove('usual', MIXES)
for (const shape of Object.keys(MIX_SHAPES) as ShapeName[]) {
  if (shape !== 'usual' && MIXES_OTHER > 0) prove(shape, MIXES_OTHER)
}
process.exitCode = isProved ? 0 : 1
