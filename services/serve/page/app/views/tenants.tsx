import type { Tenants } from '../answers.ts'
import { count, joules, percent, usd } from '../format.ts'
import { useHere } from '../here.ts'
import { Card, Link, Share, Table } from '../parts.tsx'
import { rangeOf } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { useAnswer } from '../use-answer.ts'

/** Who spends, the most first. */
export const TenantsView = () => {
  const { place, to, here } = useHere()
  const cursor = place.query.get('cursor') ?? undefined
  const asked = useAnswer<Tenants>('/v1/tenants', { ...rangeOf(place), cursor })
  return (
    <Shown asked={asked} isEmpty={({ tenants }) => tenants.length === 0}>
      {({ tenants, next, sql }) => {
        const most = Math.max(...tenants.map(({ totals }) => Number(totals.cost_usd ?? 0)))
        return (
          <Card title="Most expensive first">
            <Table
              title="Tenants"
              rows={tenants}
              none="None."
              columns={[
                {
                  title: 'tenant',
                  cell: ({ tenant }) => (
                    <Link href={to(`/tenants/${encodeURIComponent(tenant)}`)}>{tenant}</Link>
                  )
                },
                {
                  title: 'spend',
                  isNumber: true,
                  cell: ({ totals: { cost_usd } }) => (
                    <Share value={cost_usd} of={most} text={usd(cost_usd)} />
                  )
                },
                { title: 'calls', isNumber: true, cell: ({ totals }) => count(totals.calls) },
                {
                  title: 'tokens in',
                  isNumber: true,
                  cell: ({ totals }) => count(totals.in_total)
                },
                {
                  title: 'tokens out',
                  isNumber: true,
                  cell: ({ totals }) => count(totals.out_total)
                },
                {
                  title: 'cache hit rate',
                  isNumber: true,
                  cell: ({ totals }) => percent(totals.cache_hit_rate)
                },
                {
                  title: 'spent on retries',
                  isNumber: true,
                  cell: ({ totals }) => usd(totals.cost_retry_usd)
                },
                {
                  title: 'energy',
                  isNumber: true,
                  cell: ({ totals }) => joules(totals.energy_j?.mid ?? null)
                }
              ]}
            />
            {next !== null && <Link href={here({ cursor: next })}>More</Link>}
            <Sql sql={sql} />
          </Card>
        )
      }}
    </Shown>
  )
}
