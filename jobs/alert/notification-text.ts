import type { Notification } from './channel.ts'
import { cutText } from './text-cut.ts'

type Parts = {
  notice: Notification['notice']
  finding: Partial<Notification['finding']>
  links: Notification['links']
  /** Parts of the finding that were left out for length; the page has them. */
  left_out: string[]
}

/** What may be left out when a finding is too long, the most dispensable part first. */
const DISPENSABLE = ['contributors', 'victims', 'query', 'before', 'after', 'culprit'] as const
/** A summary is one sentence; what remains when nothing else fits must itself fit anywhere. */
const SUMMARY_LENGTH_MAX = 500

/**
 * JSON of a notification below a size in bytes: `wrap` puts it into the receiver's envelope. The
 * same notification gives the same text.
 */
export const notificationText = (
  { notice, finding, links }: Notification,
  bytesMax: number,
  wrap: (parts: Parts) => unknown
): string => {
  const parts: Parts = { notice, finding: { ...finding }, links, left_out: [] }
  for (const part of DISPENSABLE) {
    const text = JSON.stringify(wrap(parts))
    if (Buffer.byteLength(text) < bytesMax) return text
    delete parts.finding[part]
    parts.left_out.push(part)
  }
  const text = JSON.stringify(wrap(parts))
  if (Buffer.byteLength(text) < bytesMax) return text
  parts.finding = { summary: cutText(finding.summary, SUMMARY_LENGTH_MAX) }
  parts.left_out.push('finding')
  return JSON.stringify(wrap(parts))
}
