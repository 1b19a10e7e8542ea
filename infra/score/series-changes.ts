import { changeCover, changeF1 } from './series-metrics.ts'
import { SERIES_DETECTORS, type SeriesDetector } from './series-rivals.ts'

/** How well detectors place annotated changes: by series, and on the same series turned. */

export type AnnotatedSeries = {
  name: string
  values: number[]
  annotations: Record<string, number[]>
}

export type ChangeScore = { f1: number; cover: number }

const scoreSeries = (
  { run }: SeriesDetector,
  { annotations, values }: AnnotatedSeries
): ChangeScore => {
  const { changes } = run(values)
  return {
    f1: changeF1(annotations, changes),
    cover: changeCover(annotations, changes, values.length)
  }
}

const meanOf = (scores: readonly ChangeScore[]): ChangeScore => {
  const mean = (name: keyof ChangeScore): number =>
    scores.reduce((sum, one) => sum + one[name], 0) / scores.length
  return { f1: mean('f1'), cover: mean('cover') }
}

/** Means over all series. */
export const scoreChanges = (
  detector: SeriesDetector,
  all: readonly AnnotatedSeries[]
): ChangeScore => meanOf(all.map((series) => scoreSeries(detector, series)))

export const changeCells = ({ f1, cover }: ChangeScore): string =>
  `${f1.toFixed(3)} | ${cover.toFixed(3)}`

/** F1 and cover of each annotated series, beside the rival that covers best. */
export const seriesTable = (all: readonly AnnotatedSeries[]): string => {
  const [own, ...rivals] = SERIES_DETECTORS.map((detector) => ({
    name: detector.name,
    scores: all.map((series) => scoreSeries(detector, series))
  }))
  const best = rivals.reduce((a, b) => (meanOf(b.scores).cover > meanOf(a.scores).cover ? b : a))
  return [
    `| series | points | F1 | cover | F1 of ${best.name} | its cover |`,
    '|---|---|---|---|---|---|',
    ...all.map(
      ({ name, values }, index) =>
        `| ${name} | ${values.length} | ${changeCells(own!.scores[index]!)} | ${changeCells(best.scores[index]!)} |`
    )
  ].join('\n')
}

const backwards = ({ name, values, annotations }: AnnotatedSeries): AnnotatedSeries => ({
  name,
  values: values.toReversed(),
  annotations: Object.fromEntries(
    Object.entries(annotations).map(([annotator, places]) => [
      annotator,
      places.map((at) => values.length - at)
    ])
  )
})

/** The same changes in other clothes: no detector was made with an eye on these. */
export const turnedTable = (all: readonly AnnotatedSeries[]): string => {
  const turned = all.map(backwards)
  const logarithms = all
    .filter(({ values }) => values.every((value) => value > 0))
    .map((series) => ({ ...series, values: series.values.map(Math.log) }))
  return [
    `| detector | backwards: F1 | cover | logarithms of ${logarithms.length}: F1 | cover |`,
    '|---|---|---|---|---|',
    ...SERIES_DETECTORS.map((detector) => {
      const scores = [turned, logarithms].map((series) => scoreChanges(detector, series))
      return `| ${detector.name} | ${scores.map(changeCells).join(' | ')} |`
    })
  ].join('\n')
}
