import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { time as timeText } from './format.ts'
import { dataOf, HEIGHT_PX, optionsOf, type ChartProps } from './plot.ts'
import { cutIn, withGaps } from './steps.ts'
import { useTheme } from './theme.ts'

export const Chart = (given: ChartProps) => {
  const { steps } = given
  const props = steps === undefined ? given : { ...given, ...withGaps(given, steps.stepS) }
  const place = useRef<HTMLDivElement>(null)
  const data = JSON.stringify([props.time, props.lines, props.markS, steps, props.format(1)])
  const theme = useTheme()
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new uPlot(optionsOf(props, element), dataOf(props), element)
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
      <figcaption>
        {props.title}
        {cutNote(props)}
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={describe(props)} />
      <Values {...props} />
    </figure>
  )
}

const cutNote = ({ time, steps, bars }: ChartProps): string => {
  const cut = cutIn(time, steps)
  if (cut.length === 0) return ''
  const end = time.length === 1 ? 'only' : cut[0] === 0 ? 'first' : 'last'
  const which = cut.length === 2 ? 'first and last' : end
  return `; the ${which} step ${cut.length === 2 ? 'are' : 'is'} not whole${bars === true ? '' : ': a point apart'}`
}

/** The same figures for whoever does not see the picture. */
const Values = ({ title, time, lines, format, steps }: ChartProps) => {
  const [isOpen, setOpen] = useState(false)
  const cut = cutIn(time, steps)
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
                  <td>
                    {timeText(new Date(at * 1000).toISOString())}
                    {cut.includes(index) && ' (not whole)'}
                  </td>
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
