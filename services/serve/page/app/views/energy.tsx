import type { Energy, Joules } from '../answers.ts'
import { Chart } from '../chart.tsx'
import { count, J_PER_WH, joules, NONE, plain, step } from '../format.ts'
import { goTo, useHere } from '../here.ts'
import { Card, Figure, Table } from '../parts.tsx'
import { rangeChanges, rangeOf } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { stepsOf } from '../steps.ts'
import { useAnswer } from '../use-answer.ts'

/** Estimated energy, never without its interval. */
export const EnergyView = () => {
  const { place, here } = useHere()
  const asked = useAnswer<Energy>('/v1/energy', rangeOf(place))
  return (
    <Shown asked={asked} isEmpty={({ total }) => total.mid_j === null}>
      {({ total, series, by_model, by_tenant, sql, ...stretch }) => (
        <>
          <dl class="figures">
            <Figure
              title="Energy, estimated"
              value={joules(total.mid_j)}
              note={`${interval(total)} (80 %)`}
            />
            <Figure
              title="Energy of a call"
              value={joules(total.j_per_call)}
              note={`${count(total.calls)} calls`}
            />
            <Figure title="Output tokens a joule" value={plain(total.output_tokens_per_j)} />
          </dl>
          <div class="grid">
            <Card title="Over time" wide>
              <Chart
                title={`Energy per ${step(series.step_s)}, with its 80 % interval`}
                time={series.time}
                steps={stepsOf(stretch, series)}
                lines={[
                  { name: 'low', values: series.low_j },
                  { name: 'estimate', values: series.mid_j },
                  { name: 'high', values: series.high_j }
                ]}
                band
                format={joules}
                tick={J_PER_WH}
                onZoom={(fromS, toS) => goTo(here(rangeChanges(fromS, toS)))}
              />
              <Sql sql={sql} />
            </Card>
            <By title="Models" rows={by_model} />
            <By title="Tenants" rows={by_tenant} />
          </div>
        </>
      )}
    </Shown>
  )
}

const interval = ({ low_j, high_j }: Joules): string =>
  low_j === null ? NONE : `${joules(low_j)} to ${joules(high_j)}`

const By = ({ title, rows }: { title: string; rows: Energy['by_model'] }) => (
  <Card title={title}>
    <Table
      title={title}
      narrow="down"
      rows={rows}
      none="None."
      columns={[
        { title: 'name', cell: ({ name }) => name ?? 'not reported' },
        { title: 'energy', isNumber: true, cell: ({ mid_j }) => joules(mid_j) },
        { title: '80 % interval', isNumber: true, cell: interval },
        { title: 'a call', isNumber: true, cell: ({ j_per_call }) => joules(j_per_call) },
        {
          title: 'tokens a joule',
          isNumber: true,
          cell: ({ output_tokens_per_j }) => plain(output_tokens_per_j)
        }
      ]}
    />
  </Card>
)
