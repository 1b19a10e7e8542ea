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
import { seal, type Answer } from './answer.ts'

export type ServeSettings = {
  /** Folder of the lake. */
  lake: string
  threads: number
  memoryMaxMib: number
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd?: Readonly<Record<string, string>>
}

export type Question = { route: string; input: Record<string, unknown>; access: Access }

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
        const desk = openDesk(
          { engine, lake, nowMs: Date.now(), budgetsUsd: settings.budgetsUsd ?? {} },
          head,
          access
        )
        return seal(await route.answer(desk, input), version)
      }),
    close: () => engine.close()
  }
}
