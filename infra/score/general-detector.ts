import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import type { ScoreRow } from './page.ts'
import { calmTable } from './series-calm.ts'
import {
  changeCells,
  scoreChanges,
  seriesTable,
  turnedTable,
  type AnnotatedSeries
} from './series-changes.ts'
import { scoreWindows, type LabelWindow } from './series-metrics.ts'
import { SERIES_DETECTORS } from './series-rivals.ts'

/** The detector of plain numbers on two public benchmarks, beside usual rules on the same series. */

export type NumericSeries = { name: string; values: number[]; windows: LabelWindow[] }

/** Series of the Numenta Anomaly Benchmark: `<category>/<name>.csv.gz` and `labels.json`. */
export const readNab = async (folder: URL): Promise<NumericSeries[]> => {
  const labels = JSON.parse(await readFile(new URL('labels.json', folder), 'utf8')) as Record<
    string,
    { windows: [string, string][] }
  >
  const series: NumericSeries[] = []
  for (const [name, { windows }] of Object.entries(labels)) {
    const text = gunzipSync(await readFile(new URL(`${name}.gz`, folder))).toString()
    const rows = text
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(','))
    const times = rows.map(([time]) => Date.parse(`${time!.replace(' ', 'T')}Z`))
    const indexed = windows.map(([from, to]): LabelWindow => {
      const [first, last] = [from, to].map((time) => Date.parse(`${time.replace(' ', 'T')}Z`))
      return [
        times.findIndex((time) => time >= first!),
        times.findLastIndex((time) => time <= last!)
      ]
    })
    series.push({ name, values: rows.map(([, value]) => Number(value)), windows: indexed })
  }
  return series
}

/** Series of one dimension of the Turing change point data set; what is missing is left out. */
export const readTcpd = async (folder: URL): Promise<AnnotatedSeries[]> => {
  const [file] = (await readdir(folder)).filter((name) => name.endsWith('.json.gz'))
  const all = JSON.parse(gunzipSync(await readFile(new URL(file!, folder))).toString()) as {
    name: string
    n_dim: number
    series: { raw: (number | null)[] }[]
    annotations: Record<string, number[]>
  }[]
  return all
    .filter(({ n_dim: dimensions }) => dimensions === 1)
    .map(({ name, series, annotations }) => ({
      name,
      values: series[0]!.raw.filter((value) => value !== null),
      annotations
    }))
}

/** One row per detector over both sets. */
export const scoreGeneral = (
  nab: readonly NumericSeries[],
  tcpd: readonly AnnotatedSeries[]
): string[] =>
  SERIES_DETECTORS.map((detector) => {
    const scores = nab.map(({ values, windows }) =>
      scoreWindows(detector.run(values).alarms, windows, values.length)
    )
    const total = (of: (one: (typeof scores)[number]) => number): number =>
      scores.reduce((sum, one) => sum + of(one), 0)
    const windows = total((one) => one.windows)
    const nabScore = (100 * (total((one) => one.score) + windows)) / (2 * windows)
    const perSeries = total((one) => one.falseAlarms) / nab.length
    const changes = changeCells(scoreChanges(detector, tcpd))
    return `| ${detector.name} | ${total((one) => one.found)} of ${windows} | ${perSeries.toFixed(2)} | ${nabScore.toFixed(1)} | ${changes} |`
  })

export const GENERAL_HEADER = [
  '| detector | NAB windows found | false alarms per series | NAB score, standard | TCPD F1 | TCPD cover |',
  '|---|---|---|---|---|---|'
]

const DATA = new URL('../../../shared/data/', import.meta.url)

/** Sections for the scoreboard; without the data, what is missing. */
export async function* scoreGeneralDetector(): AsyncGenerator<string, ScoreRow | void> {
  if (!existsSync(DATA)) {
    yield 'The series are not beside the checkout.'
    return
  }
  const [nab, tcpd] = [await readNab(new URL('nab/', DATA)), await readTcpd(new URL('tcpd/', DATA))]
  const points = nab.reduce((sum, { values }) => sum + values.length, 0)
  yield `${nab.length} series of the Numenta Anomaly Benchmark (${points} points) and ${tcpd.length} of one dimension of the Turing change point data set, one setting for all, point by point. Rivals come at a usual setting and at two that alarm less; all are muted for as long after an alarm.`
  const rows = scoreGeneral(nab, tcpd)
  yield [...GENERAL_HEADER, ...rows].join('\n')
  yield `Changes are where a detector says that they were, not where it noticed: ours and CUSUM by the likeliest place, BOCPD by the likeliest run length; a z-score has no other place than the alarm. By series, beside the rival that covers best:`
  yield seriesTable(tcpd)
  yield 'The same series backwards, and as logarithms where all values are positive; no setting was chosen by them:'
  yield turnedTable(tcpd)
  yield 'Series in which nothing changes for good, 30 seeds of 500 points each:'
  yield calmTable(SERIES_DETECTORS)
  const [, , found, falseAlarms, , f1, cover] = rows[0]!.split('|').map((cell) => cell.trim())
  return {
    detection: `${found} NAB windows; TCPD F1 ${f1}, cover ${cover}`,
    delay: 'in the window',
    falseFindings: `${falseAlarms} a series`,
    attribution: 'change point'
  }
}
