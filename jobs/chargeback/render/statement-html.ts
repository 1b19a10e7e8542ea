import type { Statement, StatementLine } from './statement.ts'

/** A statement as one page of HTML that needs nothing else and prints on A4 and Letter. */

const TITLES: Readonly<Record<string, string>> = {
  model: 'By model',
  meter: 'By token class and unit',
  project: 'By project',
  team: 'By team',
  day: 'By day',
  correction: 'Corrections of closed months',
  adjustment: "Adjustments to the providers' bills",
  allocation: 'Shared costs',
  cache: 'Prompt cache: saved against the same tokens without a cache',
  waste: 'Waste: retries, invalid structured output, refusals',
  energy: 'Energy, estimated, with an 80 % interval',
  calls: 'Calls',
  unpriced: 'Without a price'
}

const STYLE = `@page{margin:18mm}body{font:10.5pt/1.45 system-ui,sans-serif;color:#111;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .3rem;break-after:avoid}
p.total{font-size:1.3rem;margin:.4rem 0 0}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.2rem .5rem .2rem 0;border-bottom:1px solid #ccc}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr{break-inside:avoid}thead{display:table-header-group}
footer{margin-top:2rem;color:#555;font-size:.85rem}@media print{body{margin:0;max-width:none;padding:0}}`

export const statementHtml = (statement: Statement): string => {
  const who = statement.tenant === null ? 'Unallocated' : statement.tenant
  const title = `Statement ${statement.month}: ${who}`
  const sections = Object.entries(TITLES).flatMap(([name, heading]) => {
    const lines = statement.sections[name] ?? []
    return lines.length === 0 ? [] : [sectionHtml(heading, lines, name)]
  })
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<header><h1>${escaped(who)}</h1><p>LLM usage, ${escaped(statement.month)} (UTC)</p>
<p class="total">${statement.closed ? 'Total due' : 'Draft, the month is open. So far'}: <strong>${statement.total_usd} USD</strong></p></header>
${sections.join('\n')}
<footer>Amounts due are in whole cents and sum to the total; costs are exact. The charges behind each
line are in the table charges of the lake, month ${escaped(statement.month)}.</footer>
</body></html>
`
}

const sectionHtml = (heading: string, lines: readonly StatementLine[], name: string): string => {
  const isDue = lines.some(({ due_usd: due }) => due !== null)
  const head = `<tr><th>Line</th><th class="n">Quantity</th><th class="n">Cost, USD</th>${isDue ? '<th class="n">Due, USD</th>' : ''}</tr>`
  const rows = lines.map((line) => {
    const due = isDue ? `<td class="n">${line.due_usd ?? ''}</td>` : ''
    return `<tr><td>${escaped(line.item)}</td><td class="n">${escaped(quantityText(line))}</td><td class="n">${costText(line, name)}</td>${due}</tr>`
  })
  return `<section><h2>${escaped(heading)}</h2><table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table></section>`
}

const MICROJOULES_PER_WATT_HOUR = 3_600_000_000

const quantityText = ({ quantity, unit, low, high }: StatementLine): string => {
  if (quantity === null) return ''
  if (unit === 'Microjoules') {
    const wattHours = (value: string | null): string =>
      value === null ? '?' : (Number(value) / MICROJOULES_PER_WATT_HOUR).toPrecision(3)
    return `${wattHours(quantity)} Wh (${wattHours(low)} to ${wattHours(high)})`
  }
  return `${quantity.replaceAll(/\B(?=(\d{3})+$)/g, ',')} ${unit ?? ''}`.trim()
}

const costText = ({ cost_usd: cost }: StatementLine, section: string): string =>
  cost ?? (section === 'unpriced' ? 'unpriced' : '')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
