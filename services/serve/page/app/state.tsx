import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { forgetKey, hasKey, keepKey, type Problem } from './api.ts'
import type { Asked } from './use-answer.ts'
import { duration, time } from './format.ts'
import { useHere } from './here.ts'
import { Link } from './parts.tsx'
import { Refusal } from './refusal.tsx'

/** What is on show instead of an answer, or until there is one. */

/** A wait that is shorter needs no word. */
const SILENT_MS = 400
/** A page that stands still must not look like all is well: of older data it says so on top. */
const OLD_MS = 3_600_000

type WithLake = { lake: { data_until: string | null; version: number } }

export const Shown = <Answer extends WithLake>(props: {
  asked: Asked<Answer>
  /** Whether there is nothing in the range. */
  isEmpty?: (answer: Answer) => boolean
  children: (answer: Answer) => ComponentChildren
}) => {
  const { answer, problem } = props.asked
  if (answer === null) return <Unanswered {...props.asked} />
  if (answer.lake.data_until === null) return <FirstEvent />
  const ageMs = Math.max(0, Date.now() - Date.parse(answer.lake.data_until))
  const isOld = ageMs > OLD_MS
  const until = (
    <p class={`until ${isOld ? 'warning' : 'soft'}`}>
      Data until {time(answer.lake.data_until)}, {duration(ageMs)} ago · version{' '}
      {answer.lake.version} of the lake
    </p>
  )
  return (
    <>
      {problem !== null && <Refusal problem={problem} />}
      {isOld && until}
      {props.isEmpty?.(answer) === true ? (
        <NothingHere until={answer.lake.data_until} />
      ) : (
        props.children(answer)
      )}
      {!isOld && until}
    </>
  )
}

const Unanswered = ({ problem, waitingSinceMs }: Asked<unknown>) => {
  if (problem === null) return <Waiting sinceMs={waitingSinceMs ?? Date.now()} />
  if (problem.code === 'E_LAKE_MISSING') return <FirstEvent />
  return problem.status === 401 || problem.status === 403 ? (
    <NotAllowed problem={problem} />
  ) : (
    <Refusal problem={problem} />
  )
}

const Waiting = ({ sinceMs }: { sinceMs: number }) => {
  const [waitedMs, setWaited] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setWaited(Date.now() - sinceMs), SILENT_MS / 2)
    return () => clearInterval(timer)
  }, [sinceMs])
  if (waitedMs < SILENT_MS) return <p class="state" aria-busy="true" />
  return (
    <p class="state" role="status">
      <progress aria-label="Being counted" /> being counted for {duration(waitedMs)}
    </p>
  )
}

const NotAllowed = ({ problem }: { problem: Problem }) => {
  const [key, setKey] = useState('')
  const enter = (event: Event): void => {
    event.preventDefault()
    keepKey(key.trim())
    location.reload()
  }
  return (
    <section class="state" role="alert">
      <h2>{problem.status === 401 ? 'A key is needed' : 'This key may not see that'}</h2>
      <p>{problem.detail}</p>
      <form onSubmit={enter}>
        <label>
          API key{' '}
          <input
            type="password"
            autocomplete="off"
            required
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>{' '}
        <button type="submit">Use this key</button>{' '}
        {hasKey() && (
          <button type="button" onClick={() => (forgetKey(), location.reload())}>
            Forget the key
          </button>
        )}
      </form>
      <p class="soft">
        It is kept for this tab and sent to this server alone. <code>tally keys --scopes read</code>{' '}
        makes one that reads.
      </p>
    </section>
  )
}

const NothingHere = ({ until }: { until: string }) => {
  const { here } = useHere()
  return (
    <section class="state" role="status">
      <h2>Nothing in this range</h2>
      <p>There is data until {time(until)}, and none that fits what is asked for here.</p>
      <p>
        <Link
          href={here({
            from: null,
            to: null,
            last: null,
            filter: null,
            failed: null,
            cursor: null
          })}
        >
          Show the last day that has data, without filters
        </Link>
      </p>
    </section>
  )
}

/** A call of now, so that it lands in the range that is shown. */
const exampleOf = (nowMs: number): string =>
  `curl -sS ${location.origin}/v1/events -H 'content-type: application/json' ${
    hasKey() ? `-H "authorization: Bearer $KEY" ` : ''
  }-d '${JSON.stringify({
    id: `first-${nowMs}`,
    time: new Date(nowMs).toISOString(),
    tenant: 'acme',
    kind: 'llm',
    provider: 'openai',
    response_model: 'gpt-4o-2024-08-06',
    tokens: { in_uncached: 700, in_cache_read: 300, out_text: 120 }
  })}'`

const FirstEvent = () => {
  const [nowMs] = useState(() => Date.now())
  const [isCopied, setCopied] = useState(false)
  const example = exampleOf(nowMs)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(example)
    setCopied(true)
  }
  return (
    <section class="state" role="status">
      <h2>No data yet</h2>
      <p>Send the first call; it shows here within seconds.</p>
      <pre tabIndex={0}>{example}</pre>
      <p>
        <button type="button" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      </p>
      <p class="soft">
        <progress aria-label="Waiting for the first event" /> waiting for the first event
      </p>
      <p class="soft">
        With OpenTelemetry: <code>OTEL_EXPORTER_OTLP_ENDPOINT={location.origin}</code>
      </p>
    </section>
  )
}
