import type { Candidate } from '../source.ts'
import { label } from '../../label.ts'
import { numberOf, textOf, type Attributes } from './attributes.ts'
import { TENANTS } from './field-names.ts'
import { scopeName, sourceName, spanEvent } from './span-event.ts'
import { timeText, type LogRecord, type Moment, type Span } from './span.ts'

/** Name of the event by which the GenAI conventions report a judged score. */
const EVALUATION = 'gen_ai.evaluation.result'

export const isEvaluation = (moment: Moment): boolean =>
  moment.name === EVALUATION || textOf(moment.attributes, ['event.name']) === EVALUATION

/** The evaluation that an event on a span reports; the span is what was judged. */
export const momentEvent = (span: Span, moment: Moment, position: number): Candidate => {
  const { tenant, project, team, user, conversation_id } = spanEvent(span, 'evaluation')
  const timeNs = moment.timeNs === 0n ? span.startNs : moment.timeNs
  const id = `${span.traceId}-${span.spanId}-event-${position}`
  return evaluation({ ...span, ...moment, timeNs }, id, {
    tenant,
    project,
    team,
    user,
    conversation_id
  })
}

/** The evaluation that a log record reports; it names the judged span by its trace context. */
export const logEvent = (record: LogRecord): Candidate => {
  const tenant = textOf(record.attributes, TENANTS) ?? textOf(record.resource, TENANTS)
  const id = `${record.traceId}-${record.spanId}-log-${record.timeNs}`
  return evaluation(record, id, tenant === null ? {} : { tenant })
}

const SCORE = ['gen_ai.evaluation.score.value']
const NAME = ['gen_ai.evaluation.name']

const evaluation = (record: Omit<LogRecord, 'at'>, id: string, owner: Candidate): Candidate => {
  const { attributes, resource, traceId, spanId, scope } = record
  const name = label(textOf(attributes, NAME))
  return {
    ...owner,
    id: name === null ? id : `${id}-${name}`,
    source: sourceName(resource),
    time: timeText(record.timeNs),
    kind: 'evaluation',
    name,
    trace_id: traceId || null,
    parent_span_id: spanId || null,
    links: spanId === '' ? null : [spanId],
    score: numberOf(attributes, SCORE),
    response_id: label(textOf(attributes, ['gen_ai.response.id'])),
    error_type: label(textOf(attributes, ['error.type'])),
    emitter: scopeName(scope),
    tags: labelTag(attributes)
  }
}

const labelTag = (attributes: Attributes): Record<string, string> | null => {
  const verdict = label(textOf(attributes, ['gen_ai.evaluation.score.label']))
  return verdict === null ? null : { score_label: verdict }
}
