import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { openServeSite } from '../../../services/serve/site.ts'
import { HOURS, START_MS, writeSettledLake } from './settled-lake.ts'

/**
 * How fast overview and explore answer over settled data: `CALLS` in millions (default 1,10), `RUNS`
 * of each question. Prints percentiles of elapsed time and the CPU seconds of an answer.
 */
const root = process.env['BENCH_DIR'] ?? path.join(import.meta.dirname, '../../../.tmp/bench')
const RUNS = Number(process.env['RUNS'] ?? 20)
const ACCESS = { tenant: null, admin: true }

const endMs = START_MS + HOURS * 3_600_000
const range = (days: number) => ({
  from: new Date(endMs - days * 86_400_000).toISOString(),
  to: new Date(endMs).toISOString()
})

const QUESTIONS: Record<string, { route: string; input: Record<string, unknown> }> = {
  'overview, 1 day': { route: 'overview', input: range(1) },
  'overview, 30 days': { route: 'overview', input: range(30) },
  'overview of a tenant, 30 days': {
    route: 'overview',
    input: { ...range(30), tenant: 'tenant-3' }
  },
  'explore cost by tenant, 30 days': {
    route: 'explore',
    input: {
      ...range(30),
      measures: ['cost_usd', 'calls'],
      by: ['tenant'],
      step: 'none',
      limit: 20
    }
  },
  'explore cost by model and route by day': {
    route: 'explore',
    input: {
      ...range(30),
      measures: ['cost_usd'],
      by: ['model', 'route'],
      step: '86400',
      limit: 20
    }
  },
  'explore hit rate by tenant by hour, 7 days': {
    route: 'explore',
    input: { ...range(7), measures: ['cache_hit_rate'], by: ['tenant'], step: '3600', limit: 10 }
  },
  'explore p95 duration by model, 30 days': {
    route: 'explore',
    input: { ...range(30), measures: ['duration_p95_ms'], by: ['model'], step: 'none', limit: 20 }
  },
  'explore calls by minute, 6 hours': {
    route: 'explore',
    input: { ...range(0.25), measures: ['calls'], by: ['model'], step: '60', limit: 20 }
  }
}

/** Another range in each run, so that nothing is answered out of memory. */
const shifted = (input: Record<string, unknown>, run: number): Record<string, unknown> => {
  const earlier = (time: unknown): string =>
    new Date(Date.parse(String(time as string)) - run * 3_600_000).toISOString()
  return { ...input, from: earlier(input['from']), to: earlier(input['to']) }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const seconds = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? NaN

for (const millions of (process.env['CALLS'] ?? '1,10').split(',').map(Number)) {
  const dir = path.join(root, `serve-${millions}m`)
  if (!existsSync(dir)) {
    await rm(`${dir}.part`, { recursive: true, force: true })
    const before = seconds()
    await writeSettledLake(`${dir}.part`, millions * 1e6)
    await rename(`${dir}.part`, dir)
    say(`wrote ${millions} M calls: ${(seconds() - before).toFixed(0)} CPU s`)
  }
  const before = seconds()
  const site = await openServeSite({
    lake: dir,
    cubeFile: `${dir}.duckdb`,
    site: 'answers',
    threads: 2,
    memoryMaxMib: 1024,
    limits: { timeMsMax: 60_000, bytesMax: 1 << 26 },
    budgetsUsd: {}
  })
  await site.answer({ route: 'me', input: {}, access: ACCESS })
  say(`${millions} M calls: ready after ${(seconds() - before).toFixed(1)} CPU s`)
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const times: number[] = []
    const cpu = seconds()
    for (let run = 0; run < RUNS; run++) {
      const started = performance.now()
      await site.answer({
        route: question.route,
        input: shifted(question.input, run),
        access: ACCESS
      })
      times.push(performance.now() - started)
    }
    times.sort((a, b) => a - b)
    const each = ((seconds() - cpu) / RUNS) * 1000
    say(
      `  ${name.padEnd(46)} p50 ${quantile(times, 0.5).toFixed(0).padStart(5)} ms  p95 ${quantile(times, 0.95).toFixed(0).padStart(5)} ms  ${each.toFixed(0).padStart(5)} CPU ms`
    )
  }
  await site.close()
}
