/** The scoreboard as a page: a row per signal, then a section per signal; parts can be renewed alone. */

/** How a signal fares, in words and figures for one row. */
export type ScoreRow = {
  detection: string
  delay: string
  falseFindings: string
  attribution: string
}

export type Part = { id: string; row: ScoreRow | null; body: string }

const INTRO = `# Scoreboard

Written by \`make score\` from seeded worlds and from recorded data beside the checkout (\`../shared/data\`).
Worlds were tuned on other seeds. Each section shows the signal at several settings beside the rules that
products offer, on the same input. Every section says of how many tenant-months and changes it is.

\`SCORE_SIGNALS=id,id\` renews some sections. Sizes: \`SCORE_MONTHS\` and \`SCORE_CHANGED\` (tenant-months with nothing
wrong, tenants for each change), \`SCORE_TENANTS\` and \`SCORE_DAYS\` (cache-thrash and shares of calls),
\`SCORE_INCIDENTS\` and \`SCORE_NIGHTS\` (culprits, loops, bugs). The usual sizes are a first look; 150 tenant-months
and more (\`SCORE_MONTHS=150 SCORE_TENANTS=150\`) bound a rate of 0.02. "At most" is the one-sided 95 % bound (Poisson).
`
const HEADER = [
  '| signal | detection | delay | false findings per tenant-month | attribution |',
  '|---|---|---|---|---|'
]
const NOTHING: ScoreRow = { detection: 'below', delay: '', falseFindings: '', attribution: '' }
const MARK = /^<!-- (\S+) -->$/

const rowText = ({ id, row }: Part): string => {
  const { detection, delay, falseFindings, attribution } = row ?? NOTHING
  return `| \`${id}\` | ${detection} | ${delay} | ${falseFindings} | ${attribution} |`
}

export const pageText = (parts: readonly Part[]): string => {
  const sorted = [...parts].sort((a, b) => (a.id < b.id ? -1 : 1))
  const sections = sorted.map(({ id, body }) => `<!-- ${id} -->\n\n# ${id}\n\n${body.trim()}\n`)
  return [INTRO, `${[...HEADER, ...sorted.map(rowText)].join('\n')}\n`, ...sections].join('\n')
}

/** What a page of before holds. */
export const readPage = (text: string): Part[] => {
  const [top = '', ...sections] = text.split(/^(?=<!-- \S+ -->$)/m)
  const rows = readRows(top)
  return sections.map((section) => {
    const id = MARK.exec(section.split('\n')[0] ?? '')?.[1] ?? ''
    const body = section
      .split('\n')
      .slice(1)
      .filter((line) => line !== `# ${id}`)
      .join('\n')
    return { id, row: rows.get(id) ?? null, body }
  })
}

const readRows = (top: string): Map<string, ScoreRow> => {
  const rows = new Map<string, ScoreRow>()
  for (const line of top.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const id = /^`(\S+)`$/.exec(cells[1] ?? '')?.[1]
    if (id === undefined) continue
    const [detection = '', delay = '', falseFindings = '', attribution = ''] = cells.slice(2)
    rows.set(id, { detection, delay, falseFindings, attribution })
  }
  return rows
}

export const renew = (before: readonly Part[], fresh: Part): Part[] => [
  ...before.filter(({ id }) => id !== fresh.id),
  fresh
]
