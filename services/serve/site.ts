import { createHash } from 'node:crypto'
import { Failure } from '../../schemas/failure.ts'
import { Engine } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake } from '../lake/lake.ts'
import { takeTurns } from '../lake/turn.ts'
import type { Access } from './access.ts'
import { Cube } from './cube/cube.ts'
import { openDesk } from './desk.ts'
import { sqlText } from './literal.ts'
import { loadRoutes } from './load-routes.ts'
import type { Document } from './route.ts'

export type ServeSettings = {
  /** Folder of the lake. */
  lake: string
  threads: number
  memoryMaxMib: number
}

export type Question = { route: string; input: Record<string, unknown>; access: Access }

export type Answer = Document & { version: number; etag: string }

/**
 * Answers questions out of one lake, in a thread of its own: neither a query nor the text of an
 * answer may hold up whoever takes events in.
 */
export type ServeSite = {
  /** @throws Failure as the route documents. */
  answer: (question: Question) => Promise<Answer>
  close: () => void
}

export const openServeSite = async (settings: ServeSettings): Promise<ServeSite> => {
  const { threads, memoryMaxMib } = settings
  const engine = await Engine.open({ threads, memoryMaxMib })
  const lake = await openLake(settings.lake, { writeParquet: parquetWriter(engine) })
  const cube = await Cube.open(engine, lake)
  const routes = new Map((await loadRoutes()).map((route) => [route.id, route]))
  const inTurn = takeTurns()
  let version = -1
  return {
    answer: ({ route: id, input, access }) =>
      inTurn(async () => {
        const route = routes.get(id)
        if (route === undefined) throw new Failure('E_INTERNAL', `there is no route ${id}`)
        const head = await lake.head()
        if (head.version !== version) await cube.follow(head)
        version = head.version
        const { tenant } = access
        await engine.run(
          `SET VARIABLE tenant = ${tenant === null ? 'NULL::VARCHAR' : sqlText(tenant)}`
        )
        const desk = openDesk({ engine, lake, nowMs: Date.now() }, head, access)
        return seal(await route.answer(desk, input), version)
      }),
    close: () => engine.close()
  }
}

const JSON_TYPE = 'application/json'

const seal = (result: unknown, version: number): Answer => {
  const document = isDocument(result)
    ? result
    : { mediaType: JSON_TYPE, body: JSON.stringify(result) }
  const etag = `"${createHash('sha256').update(document.body).digest('base64url').slice(0, 22)}"`
  return { ...document, version, etag }
}

const isDocument = (result: unknown): result is Document =>
  typeof result === 'object' && result !== null && 'mediaType' in result && 'body' in result
