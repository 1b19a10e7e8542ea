import type { Tenant } from '../answers.ts'
import { Chart } from '../chart.tsx'
import { count, joules, label, percent, plain, time, usd } from '../format.ts'
import { useHere } from '../here.ts'
import { Badge, Card, Figure, Link, Share, Table } from '../parts.tsx'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { stepsOf } from '../steps.ts'
import { useAnswer } from '../use-answer.ts'

/** A tenant's month: what it comes to, against its budget, and where it will end. */
export const TenantView = () => {
  const { place } = useHere()
  const month = place.query.get('month') ?? undefined
  const asked = useAnswer<Tenant>(`/v1/tenants/${encodeURIComponent(place.id)}`, { month })
  return (
    <Shown asked={asked}>
      {(answer) => (
        <>
          <Months answer={answer} />
          <Figures answer={answer} />
          <div class="grid">
            {answer.budget_alerts.length > 0 && <BudgetAlerts answer={answer} />}
            <Days answer={answer} />
            <Models answer={answer} />
            <Statement answer={answer} />
          </div>
        </>
      )}
    </Shown>
  )
}

/** `2026-03`, -1 → `2026-02`. */
const monthBeside = (month: string, by: number): string => {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number - 1 + by)).toISOString().slice(0, 7)
}

const Months = ({ answer: { month, closed_at, tenant, lake } }: { answer: Tenant }) => {
  const { here, to } = useHere()
  return (
    <p>
      <Link href={here({ month: monthBeside(month, -1) })}>← {monthBeside(month, -1)}</Link>
      {' · '}
      <strong>{month}</strong>{' '}
      <Badge kind={closed_at === null ? 'soft' : 'good'}>
        {closed_at === null ? 'open' : `closed ${time(closed_at)}`}
      </Badge>
      {monthBeside(month, 1) <= (lake.data_until ?? '') && (
        <>
          {' · '}
          <Link href={here({ month: monthBeside(month, 1) })}>{monthBeside(month, 1)} →</Link>
        </>
      )}
      {' · '}
      <Link href={to('/findings', { tenant })}>its findings</Link>
      {' · '}
      <Link href={to('/explore', { filter: `tenant:${tenant}`, by: 'model' })}>explore</Link>
    </p>
  )
}

const Figures = ({ answer: { totals, budget_usd, forecast } }: { answer: Tenant }) => (
  <dl class="figures">
    <Figure
      title="Spend to date"
      value={usd(totals.cost_usd)}
      note={`${count(totals.calls)} calls`}
    />
    <Figure
      title="Budget"
      value={
        budget_usd === null ? (
          usd(null)
        ) : (
          <Share value={totals.cost_usd} of={Number(budget_usd)} text={usd(budget_usd)} />
        )
      }
      note={
        budget_usd === null ? (
          <>
            none is set: <code>budgets_usd</code> of the settings
          </>
        ) : (
          `${percent(Number(totals.cost_usd ?? 0) / Number(budget_usd))} used`
        )
      }
    />
    <Figure
      title="Month's end, forecast"
      value={usd(forecast?.mid_usd)}
      note={
        forecast === null
          ? 'the month is over, or too few whole days are known'
          : `${usd(forecast.low_usd)} to ${usd(forecast.high_usd)} (80 %), from ${forecast.days_seen} days`
      }
    />
    <Figure title="Cache hit rate" value={percent(totals.cache_hit_rate)} />
    <Figure title="Spent on retries" value={usd(totals.cost_retry_usd)} />
    <Figure title="Energy, estimated" value={joules(totals.energy_j?.mid ?? null)} />
  </dl>
)

const BudgetAlerts = ({ answer: { budget_alerts } }: { answer: Tenant }) => {
  const { to } = useHere()
  return (
    <Card title="Budget alerts" wide>
      {budget_alerts.map(({ fingerprint, severity, detected_at, summary }) => (
        <p>
          <Badge kind={severity}>{severity}</Badge> {time(detected_at)}{' '}
          <Link href={to(`/incidents/${encodeURIComponent(fingerprint)}`)}>{summary}</Link>
        </p>
      ))}
    </Card>
  )
}

const DAY_S = 86_400

const Days = ({ answer: { by_day, month, lake, sql } }: { answer: Tenant }) => {
  const time = by_day.day.map((day) => Date.parse(day) / 1000)
  const range = { from: `${month}-01T00:00:00Z`, to: `${monthBeside(month, 1)}-01T00:00:00Z` }
  return (
    <Card title="By day" wide>
      {by_day.day.length === 0 ? (
        <p class="soft">Nothing in this month.</p>
      ) : (
        <Chart
          title="Dollars per day"
          time={time}
          steps={stepsOf({ lake, range }, { step_s: DAY_S, time })}
          bars
          lines={[{ name: 'spend', values: by_day.cost_usd }]}
          format={usd}
        />
      )}
      <Sql sql={sql} />
    </Card>
  )
}

const Models = ({ answer: { by_model } }: { answer: Tenant }) => (
  <Card title="By model">
    <Table
      title="Spend by model"
      rows={by_model}
      none="Nothing in this month."
      columns={[
        { title: 'model', cell: ({ model }) => model ?? 'not reported' },
        { title: 'calls', isNumber: true, cell: ({ calls }) => count(calls) },
        { title: 'spend', isNumber: true, cell: ({ cost_usd }) => usd(cost_usd) }
      ]}
    />
  </Card>
)

const Statement = ({ answer: { statement, month } }: { answer: Tenant }) => (
  <Card title="Statement">
    <Table
      title="Statement"
      rows={statement}
      none={
        <>
          Nothing is booked yet: <code>tally close {month} --dry-run</code> says what is missing.
        </>
      }
      columns={[
        { title: 'section', cell: ({ section }) => label(section) },
        { title: 'item', cell: ({ item }) => item ?? '' },
        {
          title: 'quantity',
          isNumber: true,
          cell: ({ quantity, unit }) => `${plain(quantity)} ${unit ?? ''}`
        },
        { title: 'cost', isNumber: true, cell: ({ cost_usd }) => usd(cost_usd) }
      ]}
    />
  </Card>
)
