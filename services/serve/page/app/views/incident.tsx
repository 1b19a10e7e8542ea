import { useState } from 'preact/hooks'
import type { Incident, OneFinding } from '../answers.ts'
import { Chart } from '../chart.tsx'
import { EventTable } from '../event-table.tsx'
import { figure, label, NONE, time, usd } from '../format.ts'
import { useHere } from '../here.ts'
import { Markdown } from '../markdown.tsx'
import { Badge, Card, Figure, Link, Table, type Column } from '../parts.tsx'
import { rangeChanges } from '../place.ts'
import { Sql } from '../sql.tsx'
import { Shown } from '../state.tsx'
import { useAnswer } from '../use-answer.ts'

/** One incident: what happened, who did it to whom, what it costs, what to do. */
export const IncidentView = () => {
  const { place } = useHere()
  const asked = useAnswer<OneFinding>(`/v1/findings/${encodeURIComponent(place.id)}`)
  return (
    <Shown asked={asked}>
      {(answer) => (
        <>
          <Sentence finding={answer.finding} />
          <div class="grid">
            <Course answer={answer} />
            <BeforeAfter finding={answer.finding} />
            <Who
              title="Culprit"
              rows={answer.finding.culprit === null ? [] : [answer.finding.culprit]}
              none="No single cause stands out."
            />
            <Who title="Victims" rows={answer.finding.victims} none="Nobody else lost by it." />
            <Who
              title="Contributors"
              rows={answer.finding.contributors}
              none="None were told apart."
            />
            <Evidence answer={answer} />
            <Acts finding={answer.finding} />
            <Card title="Runbook" wide>
              {answer.runbook.markdown === null ? (
                <p class="soft">There is none of the name {answer.runbook.name}.</p>
              ) : (
                <Markdown text={answer.runbook.markdown} />
              )}
            </Card>
            <History answer={answer} />
          </div>
        </>
      )}
    </Shown>
  )
}

const Sentence = ({ finding }: { finding: Incident }) => {
  const { to } = useHere()
  const standing = finding.status === 'firing' ? finding.severity : finding.status
  return (
    <section class="state">
      <p>
        <Badge kind={standing}>{standing}</Badge> {finding.signal}
        {finding.axis !== null && ` · axis: ${finding.axis}`}
        {finding.tenant !== null && (
          <>
            {' · tenant '}
            <Link href={to(`/tenants/${encodeURIComponent(finding.tenant)}`)}>
              {finding.tenant}
            </Link>
          </>
        )}
        {Object.entries(finding.scope).map(([name, value]) => ` · ${label(name)}: ${value}`)}
      </p>
      <p class="lead">{finding.summary}</p>
      <dl class="figures">
        <Figure
          title="Costs more an hour"
          value={usd(finding.cost_usd_per_hour)}
          note={finding.cost_usd_per_hour === null ? 'cannot be priced' : 'since the change'}
        />
        <Figure title="Since" value={time(finding.started_at)} note="estimated change point" />
        <Figure
          title="Found"
          value={time(finding.opened_at)}
          note={`last looked at ${time(finding.detected_at)}`}
        />
      </dl>
    </section>
  )
}

const Course = ({ answer: { series, change_at, finding } }: { answer: OneFinding }) => (
  <Card title="Before and after" wide>
    {series === null || series.time.length === 0 ? (
      <p class="soft">This signal draws nothing over this stretch.</p>
    ) : (
      <>
        <Chart
          title={label(series.plots)}
          time={series.time}
          lines={series.lines.map((line) => ({ ...line, emphasis: line.name === finding.tenant }))}
          format={(value) => figure(series.plots, value)}
          markS={Date.parse(change_at) / 1000}
          markLabel="change"
        />
        <Sql sql={series.sql} />
      </>
    )}
  </Card>
)

const BeforeAfter = ({ finding: { before, after } }: { finding: Incident }) => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const value = (of: Incident['before'], name: string): string =>
    name in of ? figureOf(name, of[name]) : ''
  return (
    <Card title="Figures">
      <Table
        title="Figures before and after"
        narrow="broken"
        rows={names}
        none="None."
        columns={[
          { title: 'figure', cell: label },
          { title: 'before', isNumber: true, cell: (name) => value(before, name) },
          { title: 'after', isNumber: true, cell: (name) => value(after, name) }
        ]}
      />
    </Card>
  )
}

type Figures = Incident['before']

const figureOf = (name: string, value: Figures[string] | undefined): string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? time(value) : figure(name, value)

/** One column for each of them, so that long names of figures read down. */
const Who = (props: { title: string; rows: readonly Figures[]; none: string }) => {
  const { title, rows, none } = props
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const [first = ''] = names
  const columns: Column<string>[] = [
    { title: label(first), cell: label },
    ...rows.map((row) => ({
      title: figureOf(first, row[first]),
      isNumber: true,
      cell: (name: string) => (name in row ? figureOf(name, row[name]) : NONE)
    }))
  ]
  return (
    <Card title={title}>
      <Table title={title} narrow="broken" rows={names.slice(1)} columns={columns} none={none} />
    </Card>
  )
}

const Evidence = ({ answer: { evidence, finding } }: { answer: OneFinding }) => {
  const { to } = useHere()
  const stretch = rangeChanges(
    Date.parse(finding.started_at) / 1000,
    Date.parse(finding.detected_at) / 1000
  )
  const filter = finding.tenant === null ? null : `tenant:${finding.tenant}`
  const { events, filters } = evidence
  return (
    <Card title="Calls since the change" wide>
      <EventTable events={events} />
      <p>
        <Link href={to('/events', { ...stretch, filter: filters })}>All of them</Link>
        {' · '}
        <Link href={to('/explore', { ...stretch, filter, by: 'model' })}>Explore this stretch</Link>
      </p>
      <p class="soft">The query of the finding, which counts what it says:</p>
      <Sql sql={finding.query} />
    </Card>
  )
}

/** What one does about an incident, where the lake is: nothing here writes. */
const Acts = ({ finding }: { finding: Incident }) => {
  const [copied, setCopied] = useState('')
  const copy = (name: string, text: string) => async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(name)
  }
  const commands = [
    `tally alert acknowledge ${finding.fingerprint} --note "rolled back" --data DIR`,
    `tally alert mute ${finding.fingerprint} --until ${inOneHour()} --data DIR`
  ].join('\n')
  const texts = { commands, JSON: JSON.stringify(finding, null, 2) }
  return (
    <Card title="Acknowledge, silence, take along" wide>
      <pre tabIndex={0}>{commands}</pre>
      <p>
        {Object.entries(texts).map(([name, text]) => (
          <>
            <button type="button" onClick={() => void copy(name, text)()}>
              {copied === name ? `Copied ${name}` : `Copy ${name}`}
            </button>{' '}
          </>
        ))}
      </p>
    </Card>
  )
}

const HOUR_MS = 3_600_000
const inOneHour = (): string =>
  new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + HOUR_MS).toISOString().slice(0, 19) + 'Z'

const History = ({ answer: { history } }: { answer: OneFinding }) => (
  <Card title="Course" wide>
    <Table
      title="Course of the incident"
      rows={history}
      none="None."
      columns={[
        { title: 'looked at', cell: ({ detected_at }) => time(detected_at) },
        { title: 'status', cell: ({ status }) => <Badge kind={status}>{status}</Badge> },
        { title: 'severity', cell: ({ severity }) => severity },
        {
          title: '$ an hour',
          isNumber: true,
          cell: ({ cost_usd_per_hour }) => usd(cost_usd_per_hour)
        }
      ]}
    />
  </Card>
)
