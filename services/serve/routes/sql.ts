import { z } from 'zod'
import { lakeResult, LakeResult } from '../result.ts'
import { defineRoute } from '../route.ts'
import { FORMATS } from '../sql/run-query.ts'

/** What a table in a browser can hold. */
const ROWS_DEFAULT = 1000
/** Larger results are files for other tools: the tables themselves are. */
const ROWS_MAX = 1_000_000
/** A query is written by people or by their tools. */
const QUERY_LENGTH_MAX = 100_000

export default defineRoute({
  method: 'post',
  path: '/v1/sql',
  summary: 'Runs one SELECT over the views of the lake, read-only, with limits on time and size.',
  scope: 'read',
  site: 'queries',
  body: z.strictObject({
    query: z.string().min(1).max(QUERY_LENGTH_MAX).describe('SQL of DuckDB; one SELECT.'),
    format: z.enum(FORMATS).default('json'),
    limit: z.int().min(1).max(ROWS_MAX).default(ROWS_DEFAULT).describe('Rows at most.')
  }),
  mediaTypes: ['application/json', 'text/csv', 'application/vnd.apache.parquet'],
  result: z.strictObject({
    lake: LakeResult,
    columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
    rows: z.array(z.record(z.string(), z.unknown())),
    truncated: z.boolean().describe('Whether there are more rows than `limit`.')
  }),
  answer: async (desk, { query, format, limit }) => {
    const { columns, rows, truncated, body } = await desk.query({
      sql: query,
      format,
      rowsMax: limit
    })
    if (format === 'csv')
      return { mediaType: 'text/csv; charset=utf-8', body, fileName: 'query.csv' }
    if (format === 'parquet') {
      return { mediaType: 'application/vnd.apache.parquet', body, fileName: 'query.parquet' }
    }
    // The rows are JSON already, one a line.
    const lines = Buffer.from(body).toString('utf8').trimEnd().split('\n').slice(0, rows)
    const head = JSON.stringify({ lake: lakeResult(desk), columns, truncated }).slice(0, -1)
    return {
      mediaType: 'application/json',
      body: `${head},"rows":[${rows === 0 ? '' : finiteJson(lines.join(','))}]}`
    }
  }
})

const STRING_OR_NOT_FINITE = /"(?:[^"\\]|\\.)*"|-?(?:Infinity|NaN)/g

/** JSON has no number for what is infinite or not a number, which the engine writes bare: as strings. */
const finiteJson = (json: string): string =>
  /Infinity|NaN/.test(json)
    ? json.replaceAll(STRING_OR_NOT_FINITE, (found) =>
        found.startsWith('"') ? found : `"${found}"`
      )
    : json
