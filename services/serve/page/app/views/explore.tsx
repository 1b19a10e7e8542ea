import type { Catalog, Explored } from '../answers.ts'
import { Chart } from '../chart.tsx'
import { count, duration, J_PER_WH, joules, NONE, percent, plain, step, usd } from '../format.ts'
import { Filters } from '../filters.tsx'
import { goTo, useHere } from '../here.ts'
import { Card, Link, Share, Table, type Column } from '../parts.tsx'
import { rangeChanges, rangeOf } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { stepsOf } from '../steps.ts'
import { useAnswer } from '../use-answer.ts'

const MEASURE = 'cost_usd'
const BY = 'model'
/** The catalogue changes with the product alone. */
const CATALOG_POLL_MS = 3_600_000

const FORMATS: Readonly<Record<string, (value: number | null) => string>> = {
  USD: usd,
  ratio: percent,
  ms: duration,
  J: joules,
  calls: count,
  tokens: count
}

/** What ticks are multiples of, by unit. */
const TICKS: Readonly<Record<string, number>> = { J: J_PER_WH, calls: 1, tokens: 1 }

/** Any measure by any dimension over any range. */
export const ExploreView = () => {
  const { place, here } = useHere()
  const { query } = place
  const measure = query.get('measure') ?? MEASURE
  const by = query.get('by') ?? BY
  const catalog = useAnswer<Catalog>('/v1/catalog', {}, CATALOG_POLL_MS).answer
  const asked = useAnswer<Explored>('/v1/explore', {
    ...rangeOf(place),
    measures: measure === 'calls' ? ['calls'] : [measure, 'calls'],
    by,
    step: 'auto',
    filter: query.getAll('filter')
  })
  const known = catalog?.measures.find(({ id }) => id === measure)
  return (
    <>
      <form onSubmit={(event) => event.preventDefault()}>
        <Choice
          title="Measure"
          value={measure}
          options={catalog?.measures ?? []}
          choose={(id) => goTo(here({ measure: id }))}
        />
        <Choice
          title="by"
          value={by}
          options={
            catalog?.dimensions.map(({ id }) => ({ id, title: id.replaceAll('_', ' ') })) ?? []
          }
          choose={(id) => goTo(here({ by: id }))}
        />
        <Filters />
      </form>
      <Shown asked={asked} isEmpty={({ groups }) => groups.length === 0}>
        {(answer) => (
          <Cut
            answer={answer}
            measure={measure}
            title={known?.title ?? measure}
            by={by}
            unit={known?.unit ?? ''}
          />
        )}
      </Shown>
    </>
  )
}

const Choice = (props: {
  title: string
  value: string
  options: readonly { id: string; title: string }[]
  choose: (id: string) => void
}) => (
  <label>
    {props.title}
    <select value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
      {props.options.length === 0 && <option value={props.value}>{props.value}</option>}
      {props.options.map(({ id, title }) => (
        <option value={id}>{title}</option>
      ))}
    </select>
  </label>
)

type CutProps = {
  answer: Explored
  measure: string
  title: string
  by: string
  unit: string
}

type Group = Explored['groups'][number]

const Cut = ({ answer, measure, title, by, unit }: CutProps) => {
  const format = FORMATS[unit] ?? plain
  const { place, here, to } = useHere()
  const { groups, more, total, series, sql } = answer
  const name = ({ key }: { key: Group['key'] }): string => key[by] ?? 'not reported'
  const most = Math.max(...groups.map(({ values }) => values[measure] ?? 0))
  const narrowed = (group: Group): string[] => [
    ...place.query.getAll('filter').filter((one) => !one.startsWith(`${by}:`)),
    `${by}:${group.key[by] ?? ''}`
  ]
  const columns: Column<Group>[] = [
    {
      title: by.replaceAll('_', ' '),
      cell: (group) => <Link href={here({ filter: narrowed(group) })}>{name(group)}</Link>
    },
    {
      title,
      isNumber: true,
      cell: ({ values }) => {
        const value = values[measure] ?? null
        return value === null ? NONE : <Share value={value} of={most} text={format(value)} />
      }
    },
    { title: 'calls', isNumber: true, cell: ({ values }) => count(values['calls']) },
    {
      title: 'events',
      cell: (group) => (
        <Link href={to('/events', { filter: narrowed(group) })}>
          see them<span class="unseen"> of {name(group)}</span>
        </Link>
      )
    }
  ]
  return (
    <div class="grid">
      {series !== null && (
        <Card title={`${title} by ${by.replaceAll('_', ' ')}`} wide>
          <Chart
            title={`${title}, by ${step(series.step_s)}`}
            time={series.time}
            steps={stepsOf(answer, series)}
            lines={series.groups.map((group) => ({
              name: name(group),
              values: group.values[measure] ?? []
            }))}
            format={format}
            {...(unit in TICKS ? { tick: TICKS[unit]! } : {})}
            onZoom={(fromS, toS) => goTo(here(rangeChanges(fromS, toS)))}
          />
        </Card>
      )}
      <Card title={`Over the range: ${format(total[measure] ?? null)}`} wide>
        <Table title="Groups" narrow="down" rows={groups} columns={columns} none="None." />
        {more && <p class="soft">There are more groups; filters narrow them.</p>}
        <Sql sql={sql} />
      </Card>
    </div>
  )
}
