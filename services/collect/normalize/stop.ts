import { firstOf, isObject, listAt, objectAt, textAt, type Json } from './json.ts'

export type StopClass =
  | 'complete'
  | 'tool'
  | 'length'
  | 'context_exceeded'
  | 'pause'
  | 'refusal_model'
  | 'refusal_provider_filter'
  | 'guardrail'
  | 'malformed'
  | 'cancelled'
  | 'error'

/** Native reasons of all providers, in lower case without separators. */
const CLASSES: Readonly<Record<StopClass, readonly string[]>> = {
  complete: [
    'stop',
    'endturn',
    'stopsequence',
    'complete',
    'completed',
    'eostoken',
    'eos',
    'finish'
  ],
  tool: ['toolcalls', 'toolcall', 'functioncall', 'tooluse', 'requiresaction'],
  length: ['length', 'maxtokens', 'maxoutputtokens', 'modellength', 'maxmessages', 'maxlength'],
  context_exceeded: ['modelcontextwindowexceeded', 'contextlengthexceeded'],
  pause: ['pauseturn', 'compaction', 'continuation', 'steered'],
  refusal_model: ['refusal', 'errortoxic', 'refuse'],
  refusal_provider_filter: [
    'contentfilter',
    'contentfiltered',
    'safety',
    'recitation',
    'blocklist',
    'prohibitedcontent',
    'spii',
    'imagesafety',
    'imageprohibitedcontent',
    'imagerecitation',
    'jailbreak',
    'language',
    'biopolicy',
    'misalignmentpolicyviolation'
  ],
  guardrail: ['guardrailintervened', 'modelarmor'],
  malformed: [
    'malformedfunctioncall',
    'malformedresponse',
    'unexpectedtoolcall',
    'toomanytoolcalls',
    'malformedmodeloutput',
    'malformedtooluse',
    'missingthoughtsignature'
  ],
  cancelled: ['cancelled', 'canceled', 'abort', 'aborted', 'usercancel'],
  error: [
    'error',
    'failed',
    'timeout',
    'insufficientsystemresource',
    'other',
    'imageother',
    'noimage'
  ]
}

const CLASS_OF = new Map<string, StopClass>(
  (Object.keys(CLASSES) as StopClass[]).flatMap((stopClass) =>
    CLASSES[stopClass].map((reason): [string, StopClass] => [reason, stopClass])
  )
)

/** Longest reason that is looked up: native reasons are words. */
const REASON_LENGTH_MAX = 64

/** Class of a native stop reason; null where it is none that is known. */
export const stopClassOf = (reason: string | null): StopClass | null => {
  if (reason === null || reason.length > REASON_LENGTH_MAX) return null
  return CLASS_OF.get(reason.toLowerCase().replace(/[^a-z]/g, '')) ?? null
}

/** `called`: the answer is a call that the client has to carry out, whatever the reason says. */
export type Stop = { reason: string | null; refused: boolean; called: boolean }

const stopWith = (reason: string | null, refused = false, called = false): Stop => ({
  reason,
  refused,
  called
})

/** The native stop reason of a response or of one event, wherever its API puts it. */
export const readStop = (body: Json): Stop => {
  const choice = firstOf(body, 'choices')
  if (choice !== undefined) return fromChoices(listAt(body, 'choices'))
  const blocked = textAt(objectAt(body, 'promptFeedback'), 'blockReason')
  if (blocked !== null) return stopWith(blocked, true)
  const candidate = firstOf(body, 'candidates')
  if (candidate !== undefined) return stopWith(textAt(candidate, 'finishReason'))
  if (body['object'] === 'response') return fromResponse(body)
  return stopWith(plainReason(body))
}

/** Where a reason stands outside of choices and candidates: holder, then key. */
const PLACES: readonly (readonly [string | null, string])[] = [
  [null, 'stop_reason'],
  [null, 'stopReason'],
  ['delta', 'stop_reason'],
  ['delta', 'finish_reason'],
  ['messageStop', 'stopReason'],
  [null, 'finish_reason'],
  [null, 'finishReason'],
  [null, 'done_reason'],
  ['details', 'finish_reason'],
  ['response_metadata', 'stop_reason'],
  ['response_metadata', 'finish_reason']
]

const plainReason = (body: Json): string | null => {
  for (const [outer, key] of PLACES) {
    const holder = outer === null ? body : body[outer]
    if (holder === undefined) continue
    const reason = textAt(holder, key)
    if (reason !== null) return reason
  }
  return body['object'] === 'interaction' ? settled(textAt(body, 'status')) : null
}

const settled = (status: string | null): string | null =>
  status === 'in_progress' || status === 'queued' ? null : status

/** Of several choices, one that did not end well says more than one that did. */
const fromChoices = (choices: readonly unknown[]): Stop => {
  let reason: string | null = null
  let refused = false
  for (const choice of choices) {
    const native = textAt(choice, 'native_finish_reason') ?? textAt(choice, 'finish_reason')
    if (native !== null && (reason === null || stopClassOf(reason) === 'complete')) reason = native
    refused ||= refusedBy(objectAt(choice, 'message')) || refusedBy(objectAt(choice, 'delta'))
  }
  return stopWith(reason, refused)
}

const refusedBy = (message: Json | null): boolean =>
  typeof message?.['refusal'] === 'string' && message['refusal'] !== ''

const fromResponse = (body: Json): Stop => {
  const detail = textAt(objectAt(body, 'incomplete_details'), 'reason')
  const output = listAt(body, 'output')
  const refused = output.some((item) =>
    listAt(item, 'content').some((part) => isObject(part) && part['type'] === 'refusal')
  )
  const called = output.some((item) => CLIENT_CALLS.includes(textAt(item, 'type') ?? ''))
  const code = textAt(objectAt(body, 'error'), 'code')
  return stopWith(detail ?? code ?? settled(textAt(body, 'status')), refused, called)
}

/** Items of a Responses output that wait for the client. */
const CLIENT_CALLS: readonly string[] = [
  'function_call',
  'custom_tool_call',
  'local_shell_call',
  'apply_patch_call',
  'computer_call',
  'mcp_approval_request'
]
