import { hostname } from 'node:os'
import path from 'node:path'
import { Failure } from '../../schemas/failure.ts'
import { Engine } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake } from '../lake/lake.ts'
import { takeTurns } from '../lake/turn.ts'
import type { Access } from './access.ts'
import { seal, type Answer } from './answer.ts'
import { Cube } from './cube/cube.ts'
import { startReader } from './cube/reader.ts'
import { openDesk } from './desk.ts'
import { sqlText } from './literal.ts'
import { loadRoutes } from './load-routes.ts'
import type { SiteName } from './route.ts'
import { openQueryRunner, type QueryLimits } from './sql/run-query.ts'

export type ServeSettings = {
  /** Folder of the lake. */
  lake: string
  /** Keeps the cube between starts, and has what does not fit the memory beside it; null = in memory. */
  cubeFile: string | null
  /** What is answered here: the product's own questions, or queries of users. */
  site: SiteName
  threads: number
  memoryMaxMib: number
  limits: QueryLimits
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd: Readonly<Record<string, string>>
}

/** What our own answers may take: with the rest of the process, a server stays below 1 GiB. */
export const ANSWERS = { threads: 2, memoryMaxMib: 448 } as const

export type Question = { route: string; input: Record<string, unknown>; access: Access }

/**
 * Answers questions out of one lake, in a thread of its own: neither a query nor the text of an
 * answer may hold up whoever takes events in.
 */
export type ServeSite = {
  /** @throws Failure as the route documents. */
  answer: (question: Question) => Promise<Answer>
  /** How many hours and days the cube still lacks; meanwhile answers read more, and take longer. */
  toDo: () => Promise<number>
  close: () => Promise<void>
}

export const openServeSite = async (settings: ServeSettings): Promise<ServeSite> => {
  const { threads, memoryMaxMib, limits, budgetsUsd, cubeFile } = settings
  const isForQueries = settings.site === 'queries'
  // Queries of users fail at their limit; our own answers may take longer instead.
  const spillFolder = isForQueries || cubeFile === null ? null : spillBeside(cubeFile)
  const engine = await Engine.open({ threads, memoryMaxMib, spillFolder })
  const lake = await openLake(settings.lake, { writeParquet: parquetWriter(engine) })
  const runner = isForQueries
    ? await openQueryRunner(engine, { lake: settings.lake, limits })
    : null
  const cube = isForQueries ? null : await Cube.open(engine, lake, { file: cubeFile })
  const routes = new Map((await loadRoutes()).map((route) => [route.id, route]))
  const inTurn = takeTurns()
  const reader = cube === null ? null : startReader(lake, cube, inTurn)
  return {
    answer: ({ route: id, input, access }) =>
      inTurn(async () => {
        const route = routes.get(id)
        if (route === undefined) throw new Failure('E_INTERNAL', `there is no route ${id}`)
        const head = await lake.head()
        await cube?.follow(head)
        await bind(engine, access)
        const doors = { engine, lake, nowMs: Date.now(), budgetsUsd, runner, cube }
        return seal(await route.answer(openDesk(doors, head, access), input), head.version)
      }),
    toDo: () =>
      inTurn(async () => {
        await cube?.follow(await lake.head())
        return cube?.toDo ?? 0
      }),
    close: async () => {
      await reader?.stop()
      await runner?.close()
      await cube?.close()
      engine.close()
    }
  }
}

/** Two processes never spill into one folder; one that crashed finds its own again. */
const spillBeside = (cubeFile: string): string =>
  path.join(path.dirname(cubeFile), `spill-${hostname()}-${process.pid}`)

/** From here on all relations that routes can name hold the rows of one tenant, or of all. */
const bind = (engine: Engine, { tenant }: Access): Promise<void> =>
  engine.run(`SET VARIABLE tenant = ${tenant === null ? 'NULL::VARCHAR' : sqlText(tenant)}`)
