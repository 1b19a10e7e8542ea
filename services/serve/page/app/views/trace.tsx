import type { Trace } from '../answers.ts'
import { costOf, EventTable, isFailed, modelOf, textOf } from '../event-table.tsx'
import { count, duration, time, usd } from '../format.ts'
import { useHere } from '../here.ts'
import { Badge, Card, Figure } from '../parts.tsx'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { treeRows, type TreeRow } from '../tree-rows.ts'
import { useAnswer } from '../use-answer.ts'

/** Deeper steps are not moved in further: there would be no room for their names. */
const INDENT_MAX = 16

/** One trace as the tree of calls that it was. */
export const TraceView = () => {
  const { place } = useHere()
  const at = place.query.get('at') ?? undefined
  const asked = useAnswer<Trace>(`/v1/traces/${encodeURIComponent(place.id)}`, { at })
  return (
    <Shown asked={asked}>
      {(answer) => {
        const rows = treeRows(answer.nodes, answer.events)
        const returns = rows.filter(({ node }) => node.reenters !== null).length
        const again = rows.filter(({ node }) => node.attempt_of !== null).length
        return (
          <>
            <dl class="figures">
              <Figure
                title="Steps"
                value={count(rows.length)}
                note={answer.truncated ? 'cut: the trace is longer' : ''}
              />
              <Figure
                title="Took"
                value={duration(answer.duration_ms)}
                note={`from ${time(answer.started_at)}`}
              />
              <Figure title="Cost" value={usd(answer.cost_usd)} note="metered" />
              <Figure
                title="Further attempts"
                value={count(again)}
                note="beyond the first of each operation"
              />
              <Figure
                title="Returns"
                value={count(returns)}
                note="calls that came back to a caller"
              />
            </dl>
            <div class="grid">
              <Card title="Who called whom" wide>
                <ol class="tree">
                  {rows.map((row) => (
                    <Step row={row} rows={rows} />
                  ))}
                </ol>
              </Card>
              <Card title="Steps by start" wide>
                <EventTable events={answer.events} />
                <Sql sql={answer.sql} />
              </Card>
            </div>
          </>
        )
      }}
    </Shown>
  )
}

const nameOf = ({ event }: TreeRow): string =>
  [event.kind, textOf(event, 'name') ?? modelOf(event)].filter(Boolean).join(' ')

const Step = ({ row, rows }: { row: TreeRow; rows: readonly TreeRow[] }) => {
  const { node, event, attempt, start, length } = row
  const caller =
    node.reenters === null ? undefined : rows.find((one) => one.node.index === node.reenters)
  return (
    <li
      id={`step-${node.index}`}
      class={attempt === null ? '' : 'attempt'}
      style={{ '--depth': Math.min(node.depth, INDENT_MAX) }}
    >
      <span class="step">
        <span class="unseen">level {node.depth + 1}: </span>
        {node.depth > INDENT_MAX && <span class="soft">+{node.depth - INDENT_MAX} </span>}
        <strong class={isFailed(event) ? 'bad' : ''}>{nameOf(row)}</strong>{' '}
        {isFailed(event) && (
          <Badge kind="bad">{textOf(event, 'error_type') ?? textOf(event, 'status')}</Badge>
        )}{' '}
        {attempt !== null && (
          <Badge kind="warning">
            attempt {attempt.number} of {attempt.of}
          </Badge>
        )}{' '}
        {caller !== undefined && (
          <a class="badge critical" href={`#step-${caller.node.index}`}>
            ↻ comes back to {nameOf(caller)}
          </a>
        )}{' '}
        {node.orphan && <Badge kind="soft">its caller is not in the trace</Badge>}
      </span>
      <span class="soft cost">{usd(costOf(event))}</span>
      <span class="soft cost">{duration(textOf(event, 'duration_ms'))}</span>
      <span class="lane" aria-hidden="true">
        <span style={{ marginLeft: `${start * 100}%`, width: `max(2px, ${length * 100}%)` }} />
      </span>
    </li>
  )
}
