import type { IncomingMessage } from 'node:http'
import { Failure } from '../../../schemas/failure.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { EventLog } from '../../stream/log.ts'
import { takeIn, type Intake } from '../intake.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { CollectSettings } from '../settings.ts'
import type { LoadedSource } from '../sources/load.ts'
import type { Answer, Message } from '../sources/source.ts'
import type { Admission, Share } from './admission.ts'
import { outcomeAnswer, problemAnswer } from './answer.ts'
import { readBody } from './body.ts'
import { mediaTypeOf, sourceFor, type PathDoors } from './doors.ts'
import type { CollectMetrics } from './metrics.ts'
import { problemOf } from '../../../schemas/problem.ts'
import { faultsProblem } from './problem.ts'
import { identifySender, type Sender } from './sender.ts'

export type Desk = {
  log: EventLog
  keys: KeyRing | null
  settings: CollectSettings
  admission: Admission
  metrics: CollectMetrics
  now: () => Date
}

const MS_PER_SECOND = 1000

/** Takes one request in: answers 2xx only once the log holds every event that it accepts. */
export const ingestRequest = async (
  request: IncomingMessage,
  doors: PathDoors,
  isPartial: boolean,
  desk: Desk
): Promise<Answer> => {
  const { settings, metrics } = desk
  const mediaType = mediaTypeOf(request.headers['content-type'])
  const nowMs = desk.now().getTime()
  const sender = identifySender(request.headers, desk.keys, { ...settings, nowMs })
  const source = sourceFor(doors, mediaType)
  const stop = metrics.requestSeconds.startTimer({ source: source.id })
  const share = desk.admission.enter()
  let answer: Answer
  try {
    const bytes = await readBody(request, settings, share)
    const message = { ...messageOf(bytes, request, sender), mediaType, door: doors.path }
    const { itemsMax, record } = settings
    const rules = { nowMs, tenantOnly: sender.tenantOnly, itemsMax, record }
    await source.prepare?.(message)
    const intake = takeIn(source, message, rules)
    answer = await settleIntake(source, intake, { share, desk, mediaType, isPartial })
  } catch (error) {
    const code = error instanceof Failure ? error.code : 'E_INTERNAL'
    metrics.faults.inc({ source: source.id, code })
    if (!(error instanceof Failure)) throw error
    answer = failureAnswer(source, error, mediaType)
  } finally {
    share.release()
    stop()
  }
  metrics.requests.inc({ source: source.id, status: answer.status })
  return answer
}

const messageOf = (
  bytes: Buffer,
  request: IncomingMessage,
  sender: Sender
): Omit<Message, 'mediaType' | 'door'> => ({
  bytes,
  headers: plainHeaders(request),
  tenant: sender.tenant
})

const plainHeaders = (request: IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && name !== 'authorization') headers[name] = value
  }
  return headers
}

type Counter = { share: Share; desk: Desk; mediaType: string | null; isPartial: boolean }

const settleIntake = async (
  source: LoadedSource,
  intake: Intake,
  { share, desk, mediaType, isPartial }: Counter
): Promise<Answer> => {
  const { metrics, log } = desk
  const { records, faults, ignored } = intake
  for (const { code } of faults) metrics.faults.inc({ source: source.id, code })
  const refused = new Set(faults.map(({ index }) => index)).size
  if (faults.length > 0 && source.handling === 'strict' && !isPartial) {
    metrics.events.inc({ result: 'refused' }, refused + records.length)
    return problemAnswer(faultsProblem(worstFirst(faults), 0))
  }
  if (records.length > 0) {
    share.takeEvents(records.length)
    const stop = metrics.appendSeconds.startTimer()
    await log.append(EVENTS_TOPIC, records)
    stop()
  }
  metrics.events.inc({ result: 'accepted' }, records.length)
  metrics.events.inc({ result: 'refused' }, refused)
  metrics.events.inc({ result: 'ignored' }, ignored)
  if (intake.latestMs !== null) {
    const lagMs = desk.now().getTime() - intake.latestMs
    metrics.lagSeconds.observe(Math.max(0, lagMs / MS_PER_SECOND))
  }
  return outcomeAnswer(source, { accepted: records.length, ignored, faults }, mediaType ?? '')
}

/** A tenant that the key may not send decides the status over any error of form. */
const worstFirst = (faults: Intake['faults']): Intake['faults'] =>
  faults.toSorted(
    (a, b) =>
      Number(b.code === 'E_FORBIDDEN') - Number(a.code === 'E_FORBIDDEN') || a.index - b.index
  )

const failureAnswer = (
  source: LoadedSource,
  failure: Failure,
  mediaType: string | null
): Answer => {
  const problem = problemOf(failure)
  if (source.complain === undefined) return problemAnswer(problem)
  const message =
    failure.hint === undefined ? failure.message : `${failure.message}. ${failure.hint}`
  return source.complain(problem.status, `${failure.code}: ${message}`, mediaType ?? '')
}
