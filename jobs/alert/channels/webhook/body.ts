import type { Notification } from '../../channel.ts'
import { cutText } from '../../text-cut.ts'

/** Standard Webhooks asks for bodies below 20 KB; the rest of the room is for headers. */
export const BODY_BYTES_MAX = 20_000

type Data = {
  notice: Notification['notice']
  finding: Partial<Notification['finding']>
  links: Notification['links']
  /** Parts of the finding that were left out for length; the page has them. */
  left_out: string[]
}

/** What may be left out when a finding is too long, the most dispensable part first. */
const DISPENSABLE = ['contributors', 'victims', 'query', 'before', 'after', 'culprit'] as const

/** `{type, timestamp, data}`; the timestamp is the notice's, so that a retry has the same body. */
export const bodyOf = ({ notice, finding, links }: Notification): string => {
  const data: Data = { notice, finding: { ...finding }, links, left_out: [] }
  const text = (): string =>
    JSON.stringify({ type: `incident.${notice.kind}`, timestamp: notice.at, data })
  for (const part of DISPENSABLE) {
    if (Buffer.byteLength(text()) < BODY_BYTES_MAX) return text()
    delete data.finding[part]
    data.left_out.push(part)
  }
  if (Buffer.byteLength(text()) < BODY_BYTES_MAX) return text()
  data.finding = { summary: cutText(finding.summary, SUMMARY_LENGTH_MAX) }
  data.left_out.push('finding')
  return text()
}

/** A summary is one sentence; four bytes a character, this is a tenth of the body. */
const SUMMARY_LENGTH_MAX = 500
