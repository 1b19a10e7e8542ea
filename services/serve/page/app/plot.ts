import uPlot from 'uplot'
import { aloneIn } from './alone.ts'
import type { Numbers } from './answers.ts'
import { time as timeText } from './format.ts'
import { cutIn, stacked as sumsOf, type Steps } from './steps.ts'
import { colour } from './theme.ts'

/** What a chart shows, as uPlot takes it. */

type Line = { name: string; values: Numbers; emphasis?: boolean }

export type ChartProps = {
  title: string
  /** Seconds since the epoch. */
  time: readonly number[]
  lines: readonly Line[]
  format: (value: number | null) => string
  /** What the times are the starts of; without it they are instants. */
  steps?: Steps
  /** One bar for each step. */
  bars?: boolean
  /**
   * Ticks of the values are round multiples of this, one apart at least: 1 for what is counted, 3600
   * for joules that are written as Wh.
   */
  tick?: number
  /** Adds the lines up, one on the other. */
  stacked?: boolean
  /** Fills between the first line and the last: an interval. */
  band?: boolean
  /** Marks an instant, seconds since the epoch. */
  markS?: number
  markLabel?: string
  /** A stretch that was drawn with the mouse. */
  onZoom?: (fromS: number, toS: number) => void
}

export const HEIGHT_PX = 220
/** As many colours as are told apart; lines beyond take them again, dashed. */
const COLOURS = 8
/** Pixels of line and of gap. */
const DASH = [5, 3]

/** Values by line, as they are drawn. */
const columnsOf = ({ lines, stacked }: ChartProps): Numbers[] =>
  stacked === true ? sumsOf(lines) : lines.map(({ values }) => values)

/** Steps that stand apart: a line to what is not over would be a fall to nothing. A bar may be short. */
const apartIn = ({ time, steps, bars }: ChartProps): number[] =>
  bars === true ? [] : cutIn(time, steps)

export const dataOf = (props: ChartProps): uPlot.AlignedData => {
  const apart = apartIn(props)
  return [
    [...props.time],
    ...columnsOf(props).map((values) =>
      values.map((value, at) => (apart.includes(at) ? null : value))
    )
  ]
}

export const optionsOf = (props: ChartProps, element: HTMLElement): uPlot.Options => {
  const { lines, format, stacked, band, onZoom, steps, bars, tick } = props
  const ink = colour(element, '--soft')
  const axis = {
    stroke: ink,
    grid: { stroke: colour(element, '--line'), width: 1 },
    ticks: { show: false }
  }
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
    legend: { live: true },
    cursor: { drag: { x: onZoom !== undefined, y: false, setScale: false } },
    scales: {
      x: { range: () => extentOf(props) },
      y: { range: (_plot, least, most) => rangeOf([least, most, ...apartValues(props)]) }
    },
    axes: [
      {
        ...axis,
        gap: 10,
        values: CLOCK,
        ...(bars === true && steps !== undefined
          ? { incrs: multiplesOf(steps.stepS, BAR_TICKS) }
          : {})
      },
      {
        ...axis,
        size: 70,
        values: (_plot, ticks) => ticks.map(format),
        ...(tick === undefined
          ? {}
          : { incrs: multiplesOf(tick, ROUND).filter((step) => step >= 1) })
      }
    ],
    series: [
      { value: (_plot, at) => (at == null ? '' : timeText(new Date(at * 1000).toISOString())) },
      ...lines.map((line, index) => seriesOf(props, element, line, index))
    ],
    ...(stacked === true ? { bands: stackBands(lines.length) } : {}),
    ...(band === true
      ? { bands: [{ series: [lines.length, 1], fill: colour(element, '--band') }] }
      : {}),
    hooks: {
      draw: [
        (plot) => drawApart(plot, props, element),
        (plot) => drawMark(plot, props, colour(element, '--bad'))
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          const stepS = steps?.stepS ?? 1
          const stepsTo = (px: number): number => plot.posToVal(px, 'x') / stepS
          if (width > 4)
            onZoom?.(Math.floor(stepsTo(left)) * stepS, Math.ceil(stepsTo(left + width)) * stepS)
        }
      ]
    }
  }
}

const multiplesOf = (unit: number, factors: readonly number[]): number[] =>
  factors.map((factor) => unit * factor)
const BAR_TICKS = [1, 2, 7, 14, 28]
/** 1, 2 and 5 in powers of ten. */
const ROUND = Array.from({ length: 15 }, (_, power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power - 6}`))
).flat()

/** Ticks by their distance in seconds: with 24 hours, and the date where it changes. */
const CLOCK: uPlot.Axis.Values = [
  [86_400 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [86_400 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1]
]

const seriesOf = (
  props: ChartProps,
  element: HTMLElement,
  line: Line,
  index: number
): uPlot.Series => {
  const { lines, stacked, band, time, format, bars } = props
  const shade = shadeOf(props, element, index)
  const isEdge = band === true && index !== Math.floor(lines.length / 2)
  return {
    label: line.name,
    stroke: shade,
    width: line.emphasis === true ? 3 : isEdge ? 0.5 : 1.5,
    ...(index < COLOURS ? {} : { dash: DASH }),
    ...(bars === true
      ? { fill: shade, paths: uPlot.paths.bars!({ size: BAR_SIZE }), points: { show: false } }
      : {
          points: {
            show: time.length < 3,
            fill: colour(element, '--card'),
            filter: (plot, series) =>
              stacked === true || time.length < 3 ? null : aloneIn(plot.data[series] as Numbers)
          }
        }),
    ...(stacked === true ? { fill: shade } : {}),
    // Where nothing is pointed at, there is no value to speak of.
    value: (_plot, _value, _series, at) => (at == null ? '' : format(line.values[at] ?? null))
  }
}

/** Share of a step that its bar takes, and pixels at most. */
const BAR_SIZE: [number, number] = [0.7, 60]

/** Each line is filled down to the one below it. */
const stackBands = (lines: number): uPlot.Band[] =>
  Array.from({ length: Math.max(0, lines - 1) }, (_, index) => ({ series: [index + 2, index + 1] }))

const MINUTE_S = 60
/** Steps to each side of a single point. */
const ALONE = 5

/** From the first to the last; half a step more to each side of bars, and a few of a single point. */
const extentOf = ({ time, steps, bars }: ChartProps): [number, number] => {
  const [first = 0] = time
  const last = time.at(-1) ?? first
  const room = bars === true ? 0.5 : first === last ? ALONE : 0
  const roomS = room * (steps?.stepS ?? MINUTE_S)
  return [first - roomS, last + roomS]
}

/** From 0, with air above; a line that is all 0 still has a scale. */
const rangeOf = (values: Numbers): [number, number] => {
  const top = Math.max(0, ...values.map((value) => value ?? 0))
  const bottom = Math.min(0, ...values.map((value) => value ?? 0))
  return [bottom * 1.08, top === bottom ? 1 : top * 1.08]
}

const apartValues = (props: ChartProps): Numbers =>
  apartIn(props).flatMap((at) => columnsOf(props).map((values) => values[at] ?? null))

const POINT_PX = 2.5

const drawApart = (plot: uPlot, props: ChartProps, element: HTMLElement): void => {
  const { ctx } = plot
  ctx.save()
  ctx.lineWidth = 1.5 * devicePixelRatio
  for (const at of apartIn(props))
    for (const [index, values] of columnsOf(props).entries()) {
      const value = values[at]
      if (value == null) continue
      const [x, y] = [plot.valToPos(props.time[at]!, 'x', true), plot.valToPos(value, 'y', true)]
      ctx.strokeStyle = shadeOf(props, element, index)
      ctx.beginPath()
      ctx.arc(x, y, POINT_PX * devicePixelRatio, 0, 2 * Math.PI)
      ctx.stroke()
    }
  ctx.restore()
}

const shadeOf = ({ band }: ChartProps, element: HTMLElement, line: number): string =>
  colour(element, `--line-${band === true ? 0 : line % COLOURS}`)

const drawMark = (plot: uPlot, { markS, markLabel }: ChartProps, stroke: string): void => {
  if (markS === undefined) return
  const { ctx, bbox } = plot
  const x = Math.round(plot.valToPos(markS, 'x', true))
  ctx.save()
  ctx.strokeStyle = stroke
  ctx.fillStyle = stroke
  ctx.lineWidth = 2 * devicePixelRatio
  ctx.setLineDash([6, 4])
  ctx.beginPath()
  ctx.moveTo(x, bbox.top)
  ctx.lineTo(x, bbox.top + bbox.height)
  ctx.stroke()
  ctx.font = `${12 * devicePixelRatio}px system-ui`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'top'
  ctx.fillText(markLabel ?? '', x + 6 * devicePixelRatio, bbox.top)
  ctx.restore()
}
