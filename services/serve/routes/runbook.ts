import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { defineOpenRoute } from '../route.ts'
import { readRunbook } from '../runbooks.ts'
import { Name } from '../tenant.ts'

export default defineOpenRoute({
  path: '/runbooks/{name}',
  summary: 'The runbook that an alert links to, as Markdown. It holds no data and needs no key.',
  params: z.strictObject({ name: Name }),
  mediaTypes: ['text/markdown'],
  result: z.string(),
  answer: async ({ name }) => {
    const body = await readRunbook(name)
    if (body === null) throw new Failure('E_NOT_FOUND', 'there is no runbook of this name')
    return { mediaType: 'text/markdown; charset=utf-8', body }
  }
})
