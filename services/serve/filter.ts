import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import { EVENT_TABLE_COLUMNS } from '../../schemas/tables.ts'
import { EXPLORE_DIMENSIONS } from './cube/dimensions.ts'
import { sqlText } from './literal.ts'

/** `model:gpt-4o` keeps what has the value, `model!:gpt-4o` drops it; no value means null. */

/** More conditions than dimensions there are help nobody. */
const FILTERS_MAX = 30
const FILTER_LENGTH_MAX = 600
const FILTER = /^([a-z_]+)(!?):(.*)$/s

const list = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (typeof value === 'string' ? [value] : value), schema)

export const FilterQuery = {
  filter: list(z.array(z.string().max(FILTER_LENGTH_MAX)).max(FILTERS_MAX))
    .optional()
    .describe('`dimension:value`, or `dimension!:value` for all others; may repeat.')
}

/** Columns or dimensions by the name that a filter uses. @throws Failure E_USAGE */
export const filterSql = (
  filters: readonly string[] | undefined,
  known: ReadonlyMap<string, string> = DIMENSION_SQL
): string[] =>
  (filters ?? []).map((text) => {
    const [, name = '', isNot, value = ''] = FILTER.exec(text) ?? []
    const sql = known.get(name)
    if (sql === undefined) {
      throw new Failure('E_USAGE', `filter "${text.slice(0, 100)}" names no dimension`, {
        hint: `Write it as dimension:value, with one of ${[...known.keys()].join(', ')}.`
      })
    }
    const other = isNot === '!' ? 'IS DISTINCT FROM' : 'IS NOT DISTINCT FROM'
    return `${sql} ${other} ${value === '' ? 'NULL' : sqlText(value)}`
  })

const DIMENSION_SQL: ReadonlyMap<string, string> = new Map(
  EXPLORE_DIMENSIONS.map(({ id, sql }) => [id, sql])
)

/** Of events: text columns, the model that served or else was asked for, and what is one run of an agent. */
export const EVENT_FILTERS: ReadonlyMap<string, string> = new Map([
  ['model', 'coalesce(response_model, request_model)'],
  ['trace', 'coalesce(trace_id, conversation_id)'],
  ...EVENT_TABLE_COLUMNS.filter(({ type }) => type === 'VARCHAR').map(
    ({ name }): [string, string] => [name, `"${name}"`]
  )
])

/** Splits `a,b,c`; also takes a parameter that repeats. */
export const listOf = <Value extends string>(known: readonly Value[], max: number) =>
  z.preprocess(
    (value) => {
      const texts = typeof value === 'string' ? [value] : value
      return Array.isArray(texts)
        ? texts.flatMap((text: unknown) => (typeof text === 'string' ? text.split(',') : [text]))
        : texts
    },
    z.array(z.enum(known as [Value, ...Value[]])).max(max)
  )
