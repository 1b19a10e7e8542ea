import type { Months } from '../answers.ts'
import { count, time, usd } from '../format.ts'
import { useHere } from '../here.ts'
import { Badge, Card, Link, Share, Table } from '../parts.tsx'
import { Shown } from '../state.tsx'
import { useAnswer } from '../use-answer.ts'

/** How far months are settled, and which are closed. */
export const MonthsView = () => {
  const asked = useAnswer<Months>('/v1/months')
  return (
    <Shown asked={asked}>
      {({ months }) => (
        <Card title="Newest first">
          <List months={months} />
          <p class="soft">
            <code>tally close 2026-03 --dry-run</code> lists what is missing before a month can be
            closed; without <code>--dry-run</code> it closes it.
          </p>
        </Card>
      )}
    </Shown>
  )
}

const List = ({ months }: { months: Months['months'] }) => {
  const { to } = useHere()
  const stretch = (month: string): { from: string; to: string } => {
    const [year = 0, number = 1] = month.split('-').map(Number)
    return {
      from: new Date(Date.UTC(year, number - 1)).toISOString(),
      to: new Date(Date.UTC(year, number)).toISOString()
    }
  }
  return (
    <Table
      title="Months"
      narrow="down"
      rows={months}
      none="No month has data."
      columns={[
        {
          title: 'month',
          cell: ({ month }) => (
            <Link href={to('/tenants', { last: null, ...stretch(month) })}>{month}</Link>
          )
        },
        {
          title: 'state',
          cell: ({ closed_at }) => (
            <Badge kind={closed_at === null ? 'soft' : 'good'}>
              {closed_at === null ? 'open' : `closed ${time(closed_at)}`}
            </Badge>
          )
        },
        { title: 'spend', isNumber: true, cell: ({ cost_usd }) => usd(cost_usd) },
        { title: 'calls', isNumber: true, cell: ({ calls }) => count(calls) },
        {
          title: 'hours past',
          isNumber: true,
          cell: ({ hours, hours_past }) => (
            <Share value={hours_past} of={hours} text={`${hours_past} of ${hours}`} />
          )
        },
        {
          title: 'settled hours with calls',
          isNumber: true,
          cell: ({ hours_settled }) => count(hours_settled)
        },
        {
          title: 'calls not settled',
          isNumber: true,
          cell: ({ provisional_calls }) => count(provisional_calls)
        },
        {
          title: 'calls without a price',
          isNumber: true,
          cell: ({ unpriced_calls }) => count(unpriced_calls)
        },
        {
          title: 'bills',
          cell: ({ month }) => (
            <Link href={to('/reconcile', { last: null, ...stretch(month) })}>
              reconcile<span class="unseen"> {month}</span>
            </Link>
          )
        }
      ]}
    />
  )
}
