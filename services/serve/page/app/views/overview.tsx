import type { Overview } from '../answers.ts'
import { Chart } from '../chart.tsx'
import { FirstCall, FIRST_CALLS_MAX } from '../first-call.tsx'
import { change, count, joules, percent, step, usd, type Amount } from '../format.ts'
import { goTo, useHere } from '../here.ts'
import { Card, Figure, Link, Share, Table } from '../parts.tsx'
import { rangeChanges, rangeOf } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { stepsOf } from '../steps.ts'
import { useAnswer } from '../use-answer.ts'

/** Whether all is well, and where to look when it is not. */
export const OverviewView = () => {
  const { place } = useHere()
  const asked = useAnswer<Overview>('/v1/overview', rangeOf(place))
  return (
    <Shown asked={asked} isEmpty={({ totals }) => totals.calls === 0}>
      {(answer) => (
        <>
          <Figures answer={answer} />
          {answer.totals.calls <= FIRST_CALLS_MAX && <FirstCall />}
          <Charts answer={answer} />
        </>
      )}
    </Shown>
  )
}

const Figures = ({ answer }: { answer: Overview }) => {
  const { to } = useHere()
  const { totals, before, bills, open_findings: open } = answer
  const gap = gapOf(bills)
  return (
    <dl class="figures">
      <Figure
        title="Spend, metered"
        value={usd(totals.cost_usd)}
        note={
          totals.unpriced_calls > 0 ? (
            <Link href={to('/explore', { measure: 'n_unpriced', by: 'model' })}>
              {count(totals.unpriced_calls)} calls have no price
            </Link>
          ) : (
            against(totals.cost_usd, before.cost_usd)
          )
        }
      />
      <Figure
        title="Calls"
        value={count(totals.calls)}
        note={[
          `${count(totals.errors)} failed`,
          `${count(totals.retries)} retries`,
          // What was sent twice counts twice until its hour is settled.
          ...(totals.provisional_calls > 0
            ? [`${count(totals.provisional_calls)} not settled yet`]
            : [])
        ].join(', ')}
      />
      <Figure
        title="Tokens in"
        value={count(totals.in_total)}
        note={`${count(totals.out_total)} out; ${against(totals.in_total, before.in_total)}`}
      />
      <Figure
        title="Cache hit rate"
        value={percent(totals.cache_hit_rate)}
        note={rateBefore(before)}
      />
      <Figure
        title="Gap to bill"
        value={usd(gap)}
        note={
          gap === null ? (
            <Link href={to('/reconcile')}>no bill covers this range</Link>
          ) : (
            'billed less metered'
          )
        }
      />
      <Figure
        title="Energy, estimated"
        value={joules(totals.energy_j?.mid ?? null)}
        note={
          totals.energy_j === null
            ? 'no model with an estimate'
            : `${joules(totals.energy_j.low)} to ${joules(totals.energy_j.high)} (80 %)`
        }
      />
      <Figure
        title="Open findings"
        value={<Link href={to('/findings', { status: 'firing' })}>{count(open.total)}</Link>}
        note={`${open.critical} critical, ${open.warning} warning`}
      />
    </dl>
  )
}

const NOTHING_BEFORE = 'nothing before to compare with'

const against = (now: Amount, past: Amount): string => {
  const text = change(now, past)
  return text === null ? NOTHING_BEFORE : `${text} against before`
}

const rateBefore = ({ cache_hit_rate: rate }: Overview['before']): string =>
  rate === null ? NOTHING_BEFORE : `${percent(rate)} before`

const gapOf = (bills: Overview['bills']): number | null => {
  const known = bills.flatMap(({ gap_usd }) => (gap_usd === null ? [] : [Number(gap_usd)]))
  return known.length === 0 ? null : known.reduce((sum, gap) => sum + gap, 0)
}

const Charts = ({ answer }: { answer: Overview }) => {
  const { here } = useHere()
  const { series, sql } = answer
  const onZoom = (fromS: number, toS: number): void => goTo(here(rangeChanges(fromS, toS)))
  const buckets = Object.entries(series.tokens).filter(([, values]) => values.some((one) => one))
  const common = { time: series.time, steps: stepsOf(answer, series), onZoom }
  const every = step(series.step_s)
  return (
    <div class="grid">
      <Card title="Spend">
        <Chart
          {...common}
          title={`Dollars per ${every}`}
          lines={[{ name: 'spend', values: series.cost_usd }]}
          format={usd}
        />
      </Card>
      <Card title="Tokens by bucket">
        <Chart
          {...common}
          stacked
          title={`Tokens per ${every}`}
          lines={buckets.map(([name, values]) => ({ name: name.replaceAll('_', ' '), values }))}
          format={count}
          tick={1}
        />
      </Card>
      <Card title="Cache hit rate">
        <Chart
          {...common}
          title={`Cached over input tokens, by ${every}`}
          lines={[{ name: 'hit rate', values: series.cache_hit_rate }]}
          format={percent}
        />
      </Card>
      <Card title="Calls">
        <Chart
          {...common}
          title={`Calls per ${every}`}
          lines={[
            { name: 'calls', values: series.calls },
            { name: 'failed', values: series.errors }
          ]}
          format={count}
          tick={1}
        />
      </Card>
      <Top title="Tenants" by="tenant" rows={answer.top_tenants} />
      <Top title="Models" by="model" rows={answer.top_models} />
      <Card title="Where this comes from" wide>
        <Sql sql={sql} />
      </Card>
    </div>
  )
}

const Top = (props: { title: string; by: string; rows: Overview['top_tenants'] }) => {
  const { to } = useHere()
  const most = Math.max(...props.rows.map(({ cost_usd }) => Number(cost_usd ?? 0)))
  const href = (name: string | null): string =>
    props.by === 'tenant'
      ? to(`/tenants/${encodeURIComponent(name ?? '')}`)
      : to('/explore', { by: 'tenant', filter: `${props.by}:${name ?? ''}` })
  return (
    <Card title={props.title}>
      <Table
        title={props.title}
        rows={props.rows}
        none="None in this range."
        columns={[
          {
            title: props.by,
            cell: ({ name }) => <Link href={href(name)}>{name ?? 'not reported'}</Link>
          },
          { title: 'calls', isNumber: true, cell: ({ calls }) => count(calls) },
          {
            title: 'spend',
            isNumber: true,
            cell: ({ cost_usd }) => <Share value={cost_usd} of={most} text={usd(cost_usd)} />
          }
        ]}
      />
    </Card>
  )
}
