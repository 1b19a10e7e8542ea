import { z } from 'zod'
import { loadRoutes } from '../load-routes.ts'
import { openApiDocument } from '../openapi/document.ts'
import { productVersion } from '../product-version.ts'
import { defineOpenRoute } from '../route.ts'

export default defineOpenRoute({
  path: '/openapi.json',
  summary: 'This document.',
  result: z.looseObject({ openapi: z.string() }),
  answer: async () =>
    openApiDocument(await loadRoutes(), await productVersion()) as { openapi: string }
})
