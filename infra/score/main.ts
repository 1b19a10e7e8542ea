import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { loadSignals } from '../../services/signals/load.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { pageText, readPage, renew, type Part, type ScoreRow } from './page.ts'

/**
 * Writes the scoreboard. A signal is scored by the file of its name beside this one, which exports
 * one function `score…(size)`: a generator of Markdown sections that may return the signal's row.
 */
const PAGE = new URL('../SCOREBOARD.md', import.meta.url)

type Sections = Generator<string, ScoreRow | void> | AsyncGenerator<string, ScoreRow | void>
type Scorer = (size: ScoreSize) => Sections

const sized = (name: string, usual: number): number => Number(process.env[name] ?? usual)

/** A first look, in some ten minutes of one core; a rate of 0.02 a month needs 150 months and more. */
const size: ScoreSize = {
  tenants: sized('SCORE_TENANTS', 50),
  days: sized('SCORE_DAYS', 30),
  incidents: sized('SCORE_INCIDENTS', 8),
  nights: sized('SCORE_NIGHTS', 10),
  months: sized('SCORE_MONTHS', 50),
  changed: sized('SCORE_CHANGED', 6)
}

/** The scorer of a signal; null when there is none yet. */
const findScorer = async (id: string): Promise<Scorer | null> => {
  const file = new URL(`./${id}.ts`, import.meta.url)
  if (!existsSync(file)) return null
  const exported = (await import(file.href)) as Record<string, unknown>
  const wanted = `score${id.replaceAll('-', '')}`.toLowerCase()
  const entry = Object.entries(exported).find(([name]) => name.toLowerCase() === wanted)
  return (entry?.[1] as Scorer | undefined) ?? null
}

const score = async (id: string, scorer: Scorer): Promise<Part> => {
  const sections = scorer(size)
  let body = ''
  for (;;) {
    const { done, value } = await sections.next()
    if (done === true) return { id, row: value ?? null, body }
    process.stdout.write(`${value}\n\n`)
    body += `${value}\n\n`
  }
}

const wanted = process.env['SCORE_SIGNALS']?.split(',')
const ids = [...(await loadSignals()).map(({ id }) => id), 'general-detector', 'real-data']
for (const id of ids.filter((one) => wanted?.includes(one) ?? true)) {
  const scorer = await findScorer(id)
  if (scorer === null) {
    process.stderr.write(`${id}: no infra/score/${id}.ts\n`)
    continue
  }
  const part = await score(id, scorer)
  // Read anew each time: sections of other signals may have been renewed meanwhile.
  const before = existsSync(PAGE) ? readPage(await readFile(PAGE, 'utf8')) : []
  await writeFile(PAGE, pageText(renew(before, part)))
}
