import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import type { LoadedSource } from '../sources/load.ts'
import { SIGNAL_NEEDS } from './signal-needs.ts'

/** Fields that every source tells, or that normalisation fills in: not worth a column. */
const GIVEN = new Set(['id', 'source', 'time', 'tenant', 'kind', 'tokens', 'stop_class', 'refusal'])
const DERIVED = /^(usage_|tokens$)/

/** Top-level native fields, in the order of the schema. */
const FIELDS = [...new Set(EVENT_FIELDS.map(({ path }) => path.split('.')[0] ?? path))].filter(
  (field) => !GIVEN.has(field) && !DERIVED.test(field)
)

const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ')

/**
 * One row a source: what it can tell, what it can not, and which signals it feeds; a signal in
 * brackets is fed and would say more with fields that the source can not tell.
 */
export const sourceTable = (sources: readonly LoadedSource[]): string => {
  const rows = sources.map((source) => {
    const told = new Set(source.tells.map((path) => path.split('.')[0] ?? path))
    const tells = FIELDS.filter((field) => told.has(field))
    const silent = FIELDS.filter((field) => !told.has(field))
    const cells = [
      `**${source.id}**: ${source.title}`,
      tells.length === FIELDS.length ? 'every field' : list(tells),
      silent.length === 0 ? 'nothing' : list(silent),
      signalsOf(told).join(' ')
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| source | tells | can not tell | feeds |', '|---|---|---|---|', ...rows].join('\n')
}

const signalsOf = (told: ReadonlySet<string>): string[] =>
  Object.entries(SIGNAL_NEEDS)
    .filter(([, { needs }]) => needs.every((field) => told.has(field)))
    .map(([signal, { gains }]) =>
      gains.every((field) => told.has(field)) ? signal : `(${signal})`
    )

const START = '<!-- sources: written by readme/main.ts -->'
const END = '<!-- end of sources -->'

/** The README with its table renewed. */
export const withSourceTable = (readme: string, sources: readonly LoadedSource[]): string => {
  const start = readme.indexOf(START)
  const end = readme.indexOf(END)
  if (start === -1 || end < start) throw new Error(`README.md lacks ${START} or ${END}`)
  return `${readme.slice(0, start)}${START}\n${sourceTable(sources)}\n${readme.slice(end)}`
}
