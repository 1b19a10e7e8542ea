import type { Findings, Incident } from '../answers.ts'
import { duration, time, usd } from '../format.ts'
import { goTo, useHere } from '../here.ts'
import { Badge, Card, Link, Table } from '../parts.tsx'
import { Shown } from '../state.tsx'
import { useAnswer } from '../use-answer.ts'

const CHOICES = {
  status: ['firing', 'resolved'],
  severity: ['critical', 'warning', 'info']
} as const

/** Incidents, newest first. */
export const FindingsView = () => {
  const { place, here } = useHere()
  const chosen = Object.fromEntries(
    ['status', 'severity', 'signal', 'tenant', 'cursor'].map((name) => [
      name,
      place.query.get(name) ?? undefined
    ])
  )
  const asked = useAnswer<Findings>('/v1/findings', chosen)
  return (
    <>
      <form onSubmit={(event) => event.preventDefault()}>
        {Object.entries(CHOICES).map(([name, values]) => (
          <label>
            {name}
            <select
              value={chosen[name] ?? ''}
              onChange={(event) =>
                goTo(here({ [name]: event.currentTarget.value || null, cursor: null }))
              }
            >
              <option value="">all</option>
              {values.map((value) => (
                <option value={value}>{value}</option>
              ))}
            </select>
          </label>
        ))}
        {['signal', 'tenant'].flatMap((name) =>
          chosen[name] === undefined
            ? []
            : [
                <Link href={here({ [name]: null, cursor: null })}>
                  {name} {chosen[name]} ✕
                </Link>
              ]
        )}
      </form>
      <Shown asked={asked}>
        {({ findings, next }) => (
          <Card title={findings.length === 0 ? 'None' : 'Newest first'}>
            <List findings={findings} />
            {next !== null && <Link href={here({ cursor: next })}>Older ones</Link>}
          </Card>
        )}
      </Shown>
    </>
  )
}

const List = ({ findings }: { findings: readonly Incident[] }) => {
  const { to, here } = useHere()
  return (
    <Table
      title="Findings"
      narrow="down"
      rows={findings}
      none={
        <>
          Nothing was found that fits. That is no promise that all is well: look whether data comes
          in. <Link href="/findings">Show all findings</Link>
        </>
      }
      columns={[
        {
          title: 'status',
          cell: ({ status, severity }) => (
            <Badge kind={status === 'firing' ? severity : status}>
              {status === 'firing' ? severity : status}
            </Badge>
          )
        },
        {
          title: 'what',
          cell: ({ fingerprint, summary }) => (
            <Link href={to(`/incidents/${encodeURIComponent(fingerprint)}`)}>{summary}</Link>
          )
        },
        {
          title: 'signal',
          isWhole: true,
          cell: ({ signal }) => <Link href={here({ signal })}>{signal}</Link>
        },
        {
          title: 'tenant',
          cell: ({ tenant }) =>
            tenant === null ? 'several' : <Link href={here({ tenant })}>{tenant}</Link>
        },
        {
          title: '$ an hour',
          isNumber: true,
          cell: ({ cost_usd_per_hour }) => usd(cost_usd_per_hour)
        },
        { title: 'since', isNumber: true, cell: ({ started_at }) => time(started_at) },
        {
          title: 'found after',
          isNumber: true,
          cell: ({ started_at, opened_at }) =>
            duration(Date.parse(opened_at) - Date.parse(started_at))
        }
      ]}
    />
  )
}
