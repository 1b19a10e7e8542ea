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

/** More zones than this on one line are no help. */
const ZONES_TOLD_MAX = 10

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
    warnUnused(report, intensities, io)
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

/** A table of other zones or another time than those of the calls would change nothing, in silence. */
const warnUnused = (
  { carbon }: EnergyReport,
  intensities: readonly IntensityProvider[],
  io: CommandRun['io']
): void => {
  for (const { id, zones } of intensities) {
    if (carbon.some(({ source }) => source === id)) continue
    const seen = [...new Set(carbon.map(({ zone }) => zone))].join(', ')
    io.stderr.write(
      `no hour of ${id} was used: it has ${[...(zones ?? [])].slice(0, ZONES_TOLD_MAX).join(', ')}, ` +
        `calls were in ${seen === '' ? 'no zone' : seen}; see --zone, --from and --to\n`
    )
  }
}

const scoreOf = (text: string): number => {
  const score = Number(text)
  if (text.trim() !== '' && Number.isFinite(score)) return score
  throw new Failure('E_USAGE', `--pass-score ${text} is no number`)
}

const textOf = ({ by, total, groups, left_off, hosts, carbon }: EnergyReport): string =>
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
    ...carbonLines(carbon),
    ''
  ].join('\n')

/** Where the grams are from: how much rests on hours, on years, and on another place's figures. */
const carbonLines = (carbon: EnergyReport['carbon']): string[] => {
  const sums = new Map<string, { joules: number; grams: number }>()
  for (const { basis, resolution, substitute, site_j: joules, grams } of carbon) {
    const key = [basis, resolution, ...(substitute === null ? [] : [substitute])].join(', ')
    const known = sums.get(key) ?? { joules: 0, grams: 0 }
    sums.set(key, { joules: known.joules + joules, grams: known.grams + grams })
  }
  if (sums.size === 0) return []
  const lines = [...sums].map(([key, { joules, grams }]) => rowOf(key, [joules, grams]))
  return ['', headingOf('carbon at the site', ['site J', 'g CO2e']), ...lines]
}

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
