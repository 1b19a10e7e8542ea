import { readFile } from 'node:fs/promises'
import {
  energyReport,
  REPORT_BY,
  type EnergyReport,
  type EnergyGroup
} from '../../../jobs/energy/report.ts'
import { Failure } from '../../../schemas/failure.ts'
import { hourlyIntensity, parseHourlyCsv } from '../../rates/grid/hourly.ts'
import type { IntensityProvider } from '../../rates/grid/intensity.ts'
import { EXIT, type CommandRun } from '../command.ts'
import { wholeNumber } from '../number-option.ts'
import { openLakeSite } from '../site.ts'
import { timeOf } from './meter.ts'

type Options = {
  data?: string
  by?: string
  from?: string
  to?: string
  limit?: string
  passScore?: string
  intensity?: string
  zone?: string
  json?: true
}

/** Groups told without `--limit`, and at most. */
const LIMIT = '100'
// More would be a table to query with `tally sql`, not a report.
const LIMIT_MAX = 100_000
const PASS_SCORE = '0.5'

/** `tally energy report --data DIR`. */
export const runReport = async ({ options, io }: CommandRun): Promise<number> => {
  const chosen = options as Options
  const { data, by = 'tenant', from, to, json } = chosen
  if (data === undefined) throw new Failure('E_USAGE', 'energy report needs --data DIR')
  const grouping = REPORT_BY.find((name) => name === by)
  if (grouping === undefined) {
    throw new Failure('E_USAGE', `--by ${by} is not known`, {
      hint: `Use ${REPORT_BY.join(', ')}.`
    })
  }
  const intensities = await intensitiesOf(chosen.intensity)
  const site = await openLakeSite({ data })
  try {
    const report = await energyReport(site, {
      by: grouping,
      fromMs: from === undefined ? 0 : timeOf('--from', from),
      toMs: to === undefined ? io.now().getTime() : timeOf('--to', to),
      limit: wholeNumber('--limit', chosen.limit ?? LIMIT, LIMIT_MAX),
      passScore: scoreOf(chosen.passScore ?? PASS_SCORE),
      intensities,
      zone: chosen.zone ?? null
    })
    io.stdout.write(json === true ? `${JSON.stringify(report)}\n` : textOf(report))
    return EXIT.ok
  } finally {
    site.close()
  }
}

const intensitiesOf = async (path: string | undefined): Promise<IntensityProvider[]> => {
  if (path === undefined) return []
  try {
    return [hourlyIntensity(path, parseHourlyCsv(await readFile(path, 'utf8')))]
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}

const scoreOf = (text: string): number => {
  const score = Number(text)
  if (text.trim() !== '' && Number.isFinite(score)) return score
  throw new Failure('E_USAGE', `--pass-score ${text} is no number`)
}

const textOf = ({ by, total, groups, left_off, hosts }: EnergyReport): string =>
  [
    headingOf(by, HEADINGS),
    ...[...groups, { ...total, key: 'total' }].map(lineOf),
    ...(left_off > 0 ? [`${left_off} more, see --limit`] : []),
    ...(hosts.length > 0 ? ['', headingOf('measured on host', HOST_HEADINGS)] : []),
    ...hosts.map(({ host, ...line }) =>
      rowOf(
        host,
        HOST_COLUMNS.map((name) => line[name])
      )
    ),
    ''
  ].join('\n')

const HEADINGS = [
  'calls',
  'measured',
  'J',
  'J/call',
  'low J',
  'high J',
  'J/passed',
  'tokens/J',
  'g CO2e'
]

/** What the meters of a host say: the parts add up to the first. */
const HOST_COLUMNS = [
  'meter_j',
  'active_j',
  'idle_serving_j',
  'idle_unallocated_j',
  'unattributed_j'
] as const
const HOST_HEADINGS = ['meter J', 'active', 'idle serving', 'idle', 'unattributed']

const headingOf = (key: string, headings: readonly string[]): string =>
  `${key.padEnd(40)} ${headings.map((heading) => heading.padStart(12)).join(' ')}`

const rowOf = (key: string | null, figures: readonly (number | null)[]): string => {
  const cells = figures.map((value) =>
    value === null ? '–' : String(Number(value.toPrecision(4)))
  )
  return `${(key ?? '–').padEnd(40)} ${cells.map((cell) => cell.padStart(12)).join(' ')}`
}

const lineOf = (group: EnergyGroup): string =>
  rowOf(group.key, [
    group.calls,
    group.measured?.calls ?? 0,
    group.joules,
    group.joules_per_call,
    group.estimated.low_j,
    group.estimated.high_j,
    group.joules_per_task_passed,
    group.tokens_per_joule_passed,
    group.carbon.location?.grams ?? null
  ])
