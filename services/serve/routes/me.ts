import { z } from 'zod'
import { lakeResult, LakeResult } from '../result.ts'
import { defineRoute } from '../route.ts'

export default defineRoute({
  method: 'get',
  path: '/v1/me',
  summary: 'What the key of this request may see.',
  scope: 'read',
  result: z.strictObject({
    lake: LakeResult,
    tenant: z.string().nullable().describe('The only tenant; null = all.'),
    admin: z.boolean()
  }),
  answer: async (desk) => ({ lake: lakeResult(desk), ...desk.access })
})
