import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { aloneIn } from './alone.ts'
import { time as timeText } from './format.ts'
import type { Numbers } from './answers.ts'

export type Line = { name: string; values: Numbers; emphasis?: boolean }

export type ChartProps = {
  title: string
  /** Seconds since the epoch. */
  time: readonly number[]
  lines: readonly Line[]
  format: (value: number | null) => string
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

const HEIGHT_PX = 220
/** As many colours as are told apart; lines beyond take them again, dashed. */
const COLOURS = 8
/** Pixels of line and of gap. */
const DASH = [5, 3]

export const Chart = (props: ChartProps) => {
  const place = useRef<HTMLDivElement>(null)
  const data = JSON.stringify([props.time, props.lines, props.markS])
  const theme = useTheme()
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new uPlot(optionsOf(props, element), columnsOf(props), element)
    const watch = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT_PX })
    )
    watch.observe(element)
    return () => {
      watch.disconnect()
      plot.destroy()
    }
  }, [data, theme])
  return (
    <figure class="chart">
      <figcaption>{props.title}</figcaption>
      <div ref={place} class="plot" role="img" aria-label={describe(props)} />
      <Values {...props} />
    </figure>
  )
}

/** The same figures for whoever does not see the picture. */
const Values = ({ title, time, lines, format }: ChartProps) => {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Values</summary>
      {isOpen && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Values of ${title}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {lines.map(({ name }) => (
                  <th scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {time.map((at, index) => (
                <tr>
                  <td>{timeText(new Date(at * 1000).toISOString())}</td>
                  {lines.map(({ values }) => (
                    <td class="number">{format(values[index] ?? null)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}

const describe = ({ title, time, lines, markS, format }: ChartProps): string => {
  const iso = (at: number | undefined): string =>
    at === undefined ? '' : timeText(new Date(at * 1000).toISOString())
  const mark = markS === undefined ? '' : `; change at ${iso(markS)}`
  const ends = lines.slice(0, 3).map(({ name, values }) => {
    const known = values.filter((value) => value !== null)
    return `${name} from ${format(known[0] ?? null)} to ${format(known.at(-1) ?? null)}`
  })
  return `${title}, ${iso(time[0])} to ${iso(time.at(-1))}${mark}: ${ends.join(', ')}`
}

const columnsOf = ({ time, lines, stacked }: ChartProps): uPlot.AlignedData => {
  if (stacked !== true) return [[...time], ...lines.map(({ values }) => values)]
  const sums = time.map(() => 0)
  return [
    [...time],
    ...lines.map(({ values }) =>
      values.map((value, index) => (sums[index] = sums[index]! + (value ?? 0)))
    )
  ]
}

const optionsOf = (props: ChartProps, element: HTMLElement): uPlot.Options => {
  const { lines, format, stacked, band, onZoom } = props
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
      x: { range: () => extentOf(props.time) },
      y: { range: (_plot, least, most) => rangeOf(least, most) }
    },
    axes: [
      { ...axis, values: CLOCK },
      { ...axis, size: 70, values: (_plot, ticks) => ticks.map(format) }
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
      draw: [(plot) => drawMark(plot, props, colour(element, '--bad'))],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width > 4) onZoom?.(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
        }
      ]
    }
  }
}

/** Ticks by their distance in seconds: with 24 hours, and the date where it changes. */
const CLOCK: uPlot.Axis.Values = [
  [86_400 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [86_400 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1]
]

const seriesOf = (
  { lines, stacked, band, time, format }: ChartProps,
  element: HTMLElement,
  line: Line,
  index: number
): uPlot.Series => {
  const shade = colour(element, `--line-${band === true ? 0 : index % COLOURS}`)
  const isEdge = band === true && index !== Math.floor(lines.length / 2)
  return {
    label: line.name,
    stroke: shade,
    width: line.emphasis === true ? 3 : isEdge ? 0.5 : 1.5,
    ...(index < COLOURS ? {} : { dash: DASH }),
    points: {
      show: time.length < 3,
      filter: () => (stacked === true || time.length < 3 ? null : aloneIn(line.values))
    },
    ...(stacked === true ? { fill: shade } : {}),
    value: (_plot, _value, _series, at) => format(at == null ? null : (line.values[at] ?? null))
  }
}

/** Each line is filled down to the one below it. */
const stackBands = (lines: number): uPlot.Band[] =>
  Array.from({ length: Math.max(0, lines - 1) }, (_, index) => ({ series: [index + 2, index + 1] }))

/** Room around a single point, seconds to each side. */
const ALONE_S = 43_200

const extentOf = (time: readonly number[]): [number, number] => {
  const [first = 0] = time
  const last = time.at(-1) ?? first
  return first === last ? [first - ALONE_S, last + ALONE_S] : [first, last]
}

/** From 0, with air above; a line that is all 0 still has a scale. */
const rangeOf = (least: number | null, most: number | null): [number, number] => {
  const top = Math.max(0, most ?? 0)
  const bottom = Math.min(0, least ?? 0)
  return [bottom * 1.08, top === bottom ? 1 : top * 1.08]
}

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

/** A colour of the theme as a canvas takes it: variables are resolved by setting them. */
const colour = (element: HTMLElement, name: string): string => {
  const before = element.style.color
  element.style.color = `var(${name})`
  const resolved = getComputedStyle(element).color
  element.style.color = before
  return resolved
}

/** Changes when the theme does, so that charts are drawn again. */
const useTheme = (): string => {
  const [theme, setTheme] = useState('')
  useEffect(() => {
    const root = document.documentElement
    const system = matchMedia('(prefers-color-scheme: dark)')
    const look = (): void => setTheme(`${root.dataset['theme'] ?? ''} ${system.matches}`)
    const watch = new MutationObserver(look)
    watch.observe(root, { attributes: true, attributeFilter: ['data-theme'] })
    system.addEventListener('change', look)
    look()
    return () => {
      watch.disconnect()
      system.removeEventListener('change', look)
    }
  }, [])
  return theme
}
