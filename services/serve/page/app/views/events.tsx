import type { Events } from '../answers.ts'
import { EventTable } from '../event-table.tsx'
import { Filters } from '../filters.tsx'
import { goTo, useHere } from '../here.ts'
import { Card, Link } from '../parts.tsx'
import { rangeOf } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { useAnswer } from '../use-answer.ts'

/** Single events, newest first. */
export const EventsView = () => {
  const { place, here } = useHere()
  const { query } = place
  const asked = useAnswer<Events>('/v1/events', {
    ...rangeOf(place),
    filter: query.getAll('filter'),
    failed: query.get('failed') ?? undefined,
    cursor: query.get('cursor') ?? undefined
  })
  return (
    <>
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          Outcome
          <select
            value={query.get('failed') ?? ''}
            onChange={(event) =>
              goTo(here({ failed: event.currentTarget.value || null, cursor: null }))
            }
          >
            <option value="">all</option>
            <option value="true">failed</option>
            <option value="false">did not fail</option>
          </select>
        </label>
        <Filters />
      </form>
      <Shown asked={asked} isEmpty={({ events }) => events.length === 0}>
        {({ events, next, sql }) => (
          <Card title="Newest first">
            <EventTable events={events} />
            {next !== null && <Link href={here({ cursor: next })}>Older ones</Link>}
            <Sql sql={sql} />
          </Card>
        )}
      </Shown>
    </>
  )
}
