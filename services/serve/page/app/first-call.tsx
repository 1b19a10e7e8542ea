import type { Events } from './answers.ts'
import { costOf, modelOf } from './event-table.tsx'
import { count, time, usd } from './format.ts'
import { Card, Table } from './parts.tsx'
import { unlocksOf } from './unlocks.ts'
import { useAnswer } from './use-answer.ts'

/** As long as there are no more calls than this, somebody is still wiring it up. */
export const FIRST_CALLS_MAX = 10

/** The newest of the first calls, and which fields would tell more. */
export const FirstCall = () => {
  const { answer } = useAnswer<Events>('/v1/events', { limit: '1' })
  const [event] = answer?.events ?? []
  if (event === undefined) return null
  return (
    <Card title="Your newest call has arrived">
      <p role="status">
        {event.tenant}, {modelOf(event) ?? event.kind}, {time(event.time)}:{' '}
        {count(Number(event['in_total'] ?? 0) + Number(event['out_total'] ?? 0))} tokens,{' '}
        {usd(costOf(event))}
      </p>
      <Table
        title="Fields that would tell more"
        rows={unlocksOf(event)}
        none="It carries all that detectors look for."
        columns={[
          { title: 'add', cell: ({ field }) => <code>{field}</code> },
          { title: 'to see', cell: ({ lets }) => lets }
        ]}
      />
    </Card>
  )
}
