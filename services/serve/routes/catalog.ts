import { z } from 'zod'
import { TABLES, type Column } from '../../../schemas/tables.ts'
import { EXPLORE_DIMENSIONS } from '../cube/dimensions.ts'
import { MEASURES } from '../cube/measures.ts'
import { defineRoute } from '../route.ts'

export default defineRoute({
  method: 'get',
  path: '/v1/catalog',
  summary: 'What can be asked for: measures and dimensions of explore, tables with their columns.',
  scope: 'read',
  result: z.strictObject({
    measures: z.array(z.strictObject({ id: z.string(), title: z.string(), unit: z.string() })),
    dimensions: z.array(z.strictObject({ id: z.string(), title: z.string() })),
    tables: z.record(
      z.string(),
      z.array(z.strictObject({ name: z.string(), type: z.string(), comment: z.string() }))
    )
  }),
  answer: async () => ({
    measures: MEASURES.map(({ id, title, unit }) => ({ id, title, unit })),
    dimensions: EXPLORE_DIMENSIONS.map(({ id, title }) => ({ id, title })),
    tables: Object.fromEntries(
      Object.entries(TABLES).map(([name, columns]: [string, readonly Column[]]) => [
        name,
        columns.map((column) => ({ name: column.name, type: column.type, comment: column.comment }))
      ])
    )
  })
})
