import { z } from 'zod'
import { Engine } from '../../lake/engine.ts'
import { productVersion } from '../product-version.ts'
import { defineOpenRoute } from '../route.ts'

export default defineOpenRoute({
  path: '/version',
  summary: 'What runs here.',
  result: z.strictObject({ version: z.string(), node: z.string(), duckdb: z.string() }),
  answer: async () => ({
    version: await productVersion(),
    node: process.versions.node,
    duckdb: Engine.version
  })
})
