import type { Reconcile } from '../answers.ts'
import { count, percent, time, usd } from '../format.ts'
import { useHere } from '../here.ts'
import { Card, Table, type Column } from '../parts.tsx'
import { rangeOf } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { useAnswer } from '../use-answer.ts'

/** Counted here, reported by the provider, billed: side by side. */
export const ReconcileView = () => {
  const { place } = useHere()
  const asked = useAnswer<Reconcile>('/v1/reconcile', rangeOf(place))
  return (
    <Shown asked={asked} isEmpty={({ models, bills }) => models.length === 0 && bills.length === 0}>
      {({ bills, models, adjustments, sql }) => (
        <div class="grid">
          <Card title="Bills against the meter" wide>
            <Table
              title="Bills"
              rows={bills}
              none={
                <>
                  No bill covers this range. <code>{IMPORT}</code> takes one in.
                </>
              }
              columns={[
                { title: 'provider', cell: ({ provider }) => provider ?? 'not reported' },
                { title: 'from', cell: ({ from }) => time(from) },
                { title: 'to', cell: ({ to }) => time(to) },
                { title: 'metered', isNumber: true, cell: ({ metered_usd }) => usd(metered_usd) },
                { title: 'billed', isNumber: true, cell: ({ billed_usd }) => usd(billed_usd) },
                { title: 'gap', isNumber: true, cell: ({ gap_usd }) => usd(gap_usd) }
              ]}
            />
          </Card>
          <Card title="What explains the gap" wide>
            <Table
              title="Adjustments"
              rows={adjustments}
              none="Nothing was booked to explain a gap."
              columns={[
                { title: 'provider', cell: ({ provider }) => provider ?? '' },
                { title: 'model', cell: ({ model }) => model ?? '' },
                { title: 'why', cell: ({ rule, details }) => `${rule ?? ''} ${details ?? ''}` },
                { title: 'billed', isNumber: true, cell: ({ billed_usd }) => usd(billed_usd) }
              ]}
            />
          </Card>
          <Card title="Tokens by model, counted here and reported" wide>
            <Table
              title="Counts by model"
              narrow="down"
              rows={models}
              none="None."
              columns={COLUMNS}
            />
            <Sql sql={sql} />
          </Card>
        </div>
      )}
    </Shown>
  )
}

const IMPORT = 'tally reconcile --bill costs.json --as openai/costs --import --data DIR'

type Model = Reconcile['models'][number]

const side = (title: string, of: (model: Model) => Model['input']): Column<Model>[] => [
  { title: `${title}, local`, isNumber: true, cell: (model) => count(of(model).local_tokens) },
  {
    title: `${title}, reported`,
    isNumber: true,
    cell: (model) => count(of(model).reported_tokens)
  },
  { title: `${title}, drift`, isNumber: true, cell: (model) => percent(of(model).drift_ratio) }
]

const COLUMNS: readonly Column<Model>[] = [
  { title: 'provider', cell: ({ provider }) => provider ?? 'not reported' },
  { title: 'model', cell: ({ model }) => model ?? 'not reported' },
  { title: 'metered', isNumber: true, cell: ({ metered_usd }) => usd(metered_usd) },
  { title: 'unpriced calls', isNumber: true, cell: ({ unpriced_calls }) => count(unpriced_calls) },
  ...side('input', ({ input }) => input),
  ...side('output', ({ output }) => output)
]
