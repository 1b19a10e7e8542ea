import { Failure } from '../../schemas/failure.ts'
import { Engine } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake } from '../lake/lake.ts'
import { takeTurns } from '../lake/turn.ts'
import type { Access } from './access.ts'
import { seal, type Answer } from './answer.ts'
import { Cube } from './cube/cube.ts'
import { openDesk } from './desk.ts'
import { sqlText } from './literal.ts'
import { loadRoutes } from './load-routes.ts'
import type { SiteName } from './route.ts'
import { openQueryRunner, type QueryLimits } from './sql/run-query.ts'

export type ServeSettings = {
  /** Folder of the lake. */
  lake: string
  /** Keeps the hours between starts; null = in memory. */
  cubeFile: string | null
  /** What is answered here: the product's own questions, or queries of users. */
  site: SiteName
  threads: number
  memoryMaxMib: number
  limits: QueryLimits
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd: Readonly<Record<string, string>>
}

export type Question = { route: string; input: Record<string, unknown>; access: Access }

/**
 * Answers questions out of one lake, in a thread of its own: neither a query nor the text of an
 * answer may hold up whoever takes events in.
 */
export type ServeSite = {
  /** @throws Failure as the route documents. */
  answer: (question: Question) => Promise<Answer>
  close: () => Promise<void>
}

export const openServeSite = async (settings: ServeSettings): Promise<ServeSite> => {
  const { threads, memoryMaxMib, limits, budgetsUsd } = settings
  const engine = await Engine.open({ threads, memoryMaxMib })
  const lake = await openLake(settings.lake, { writeParquet: parquetWriter(engine) })
  const isForQueries = settings.site === 'queries'
  const runner = isForQueries
    ? await openQueryRunner(engine, { lake: settings.lake, limits })
    : null
  const cube = isForQueries ? null : await Cube.open(engine, lake, settings.cubeFile)
  const routes = new Map((await loadRoutes()).map((route) => [route.id, route]))
  const inTurn = takeTurns()
  return {
    answer: ({ route: id, input, access }) =>
      inTurn(async () => {
        const route = routes.get(id)
        if (route === undefined) throw new Failure('E_INTERNAL', `there is no route ${id}`)
        const head = await lake.head()
        await cube?.follow(head)
        await bind(engine, access)
        const desk = openDesk({ engine, lake, nowMs: Date.now(), budgetsUsd, runner }, head, access)
        return seal(await route.answer(desk, input), head.version)
      }),
    close: async () => {
      await runner?.close()
      engine.close()
    }
  }
}

/** From here on all relations that routes can name hold the rows of one tenant, or of all. */
const bind = (engine: Engine, { tenant }: Access): Promise<void> =>
  engine.run(`SET VARIABLE tenant = ${tenant === null ? 'NULL::VARCHAR' : sqlText(tenant)}`)
