import { execFile } from 'node:child_process'
import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Failure } from '../../../schemas/failure.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import { ANSWERS, openServeSite, type ServeSite } from '../../../services/serve/site.ts'
import { HOUR_MS } from './calls.ts'
import { QUESTIONS, type Question } from './questions.ts'
import { SETTLED_UNTIL_MS } from './settled-lake.ts'

/**
 * Serves a lake from a cold start, with the limits of the product and in a process of its own, and
 * prints what that takes. Arguments: the lake, which is changed, how many calls, runs of each question.
 */
const [lake = '', calls = '', runs = ''] = process.argv.slice(2)
const cubeFile = path.join(`${lake}.cache`, 'cube.duckdb')
const MS_PER_S = 1000
const KIB_PER_MIB = 1024
/** As often as a load balancer might ask. */
const POLL_MS = 100

const say = (text: string): void => void process.stdout.write(`  ${text}\n`)
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
const memoryMibMax = (): string => (process.resourceUsage().maxRSS / KIB_PER_MIB).toFixed(0)

type Spent = { cpuS: number; ms: number }
const spent = async (work: () => Promise<unknown>): Promise<Spent> => {
  const [cpuS, ms] = [cpuSeconds(), performance.now()]
  await work()
  return { cpuS: cpuSeconds() - cpuS, ms: performance.now() - ms }
}
const told = ({ cpuS, ms }: Spent): string =>
  `${cpuS.toFixed(1)} CPU s, ${(ms / MS_PER_S).toFixed(1)} s`

const open = (): Promise<ServeSite> =>
  openServeSite({
    lake,
    cubeFile,
    site: 'answers',
    ...ANSWERS,
    limits: { timeMsMax: 60_000, bytesMax: 1 << 26 },
    budgetsUsd: {}
  })

const ask = (site: ServeSite, { route, input, tenant }: Question) =>
  site.answer({ route, input, access: { tenant, admin: tenant === null } })

/** Resolves when the cube has everything. */
const ready = async (site: ServeSite): Promise<void> => {
  while ((await site.toDo()) > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? NaN

const named = (name: string): Question =>
  QUESTIONS.map((asked) => asked(SETTLED_UNTIL_MS)).find((one) => one.name === name)!

const start = async (): Promise<ServeSite> => {
  await rm(path.dirname(cubeFile), { recursive: true, force: true })
  let site: ServeSite | null = null
  const first = await spent(async () => {
    site = await open()
    await ask(site, named('overview, 1 day'))
  })
  say(`first answer after a cold start (overview, 1 day): ${told(first)}`)
  const long = await ask(site!, named('overview, 30 days')).catch((error: unknown) =>
    error instanceof Failure ? `${error.code}: ${error.message}` : String(error)
  )
  say(`30 days at that moment: ${typeof long === 'string' ? long : 'answered'}`)
  say(`cube of everything: ${told(await spent(() => ready(site!)))}, ${memoryMibMax()} MiB at most`)
  return site!
}

const askAll = async (site: ServeSite): Promise<void> => {
  for (const asked of QUESTIONS) {
    const times: number[] = []
    const { cpuS } = await spent(async () => {
      for (let run = 0; run < Number(runs); run++) {
        // Another range in each run, so that nothing is answered out of memory.
        const question = asked(SETTLED_UNTIL_MS - run * HOUR_MS)
        times.push((await spent(() => ask(site, question))).ms)
      }
    })
    times.sort((a, b) => a - b)
    const figure = (value: number): string => value.toFixed(0).padStart(5)
    const { name } = asked(SETTLED_UNTIL_MS)
    const cpuMs = (cpuS * MS_PER_S) / Number(runs)
    say(
      `${name.padEnd(52)} p50 ${figure(quantile(times, 0.5))} ms  p95 ${figure(quantile(times, 0.95))} ms  ${figure(cpuMs)} CPU ms`
    )
  }
}

/** What a new settled hour costs the one who serves; it is settled by a process of its own. */
const refresh = async (site: ServeSite): Promise<void> => {
  const process_ = fileURLToPath(new URL('./write.ts', import.meta.url))
  await promisify(execFile)(process.execPath, ['--import', 'tsx', process_, lake, calls, 'hour'])
  say(`one more settled hour: ${told(await spent(() => ready(site)))}`)
}

const restart = async (site: ServeSite): Promise<void> => {
  await site.close()
  let again: ServeSite | null = null
  const spentAgain = await spent(async () => {
    again = await open()
    await ask(again, named('overview, 30 days'))
  })
  say(`first answer after a restart (overview, 30 days): ${told(spentAgain)}`)
  await again!.close()
}

/** How far the windows were put together. */
const tellCube = async (): Promise<void> => {
  const engine = await Engine.open()
  await engine.run(`ATTACH ${quoted(cubeFile)} AS cube (READ_ONLY)`)
  const tables = [
    'full_hours',
    'full_days',
    'models_quarters',
    'models_days',
    'models_pentads',
    'tenant_hours',
    'fleet_hours'
  ]
  const counts = tables.map((name) => `(SELECT count(*) FROM cube.${name})::DOUBLE AS ${name}`)
  const [row] = await engine.rows(`SELECT ${counts.join(', ')}`)
  engine.close()
  const { size } = await stat(cubeFile)
  const rows = tables.map((name) => `${name} ${Number(row?.[name]).toLocaleString('en')}`)
  say(`rows of the cube: ${rows.join(', ')}; ${(size / 2 ** 20).toFixed(0)} MiB on disk`)
}

const site = await start()
await askAll(site)
await refresh(site)
await restart(site)
await tellCube()
say(`${memoryMibMax()} MiB at most, of ${ANSWERS.memoryMaxMib} that the engine may take`)
await rm(path.dirname(cubeFile), { recursive: true, force: true })
