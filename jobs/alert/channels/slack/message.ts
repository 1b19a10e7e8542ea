import type { Finding } from '../../../../schemas/finding.ts'
import type { Notification } from '../../channel.ts'
import { cutText } from '../../text-cut.ts'

/** Slack refuses headers beyond this. */
const HEADER_CHARACTERS_MAX = 150
/** Slack takes 3,000 a section, but refuses about 13,200 in all (bolt-js #2509): four fit well. */
const SECTION_CHARACTERS_MAX = 2_800
/** Slack refuses fields beyond 2,000 characters; nobody reads half of that. */
const FIELD_CHARACTERS_MAX = 200
/** Fields that Slack allows in one section. */
const FIELDS_MAX = 10
/** Slack refuses longer addresses on buttons. */
const URL_CHARACTERS_MAX = 3_000

type Text = { type: 'mrkdwn' | 'plain_text'; text: string }
type Button = { type: 'button'; text: Text; url: string }
export type Block =
  | { type: 'header'; text: Text }
  | { type: 'section'; text: Text }
  | { type: 'section'; fields: Text[] }
  | { type: 'actions'; elements: Button[] }

/** A message: one header, one sentence, the figures, and buttons to what opens them. */
export const messageOf = (notification: Notification): { text: string; blocks: Block[] } => {
  const title = titleOf(notification)
  const blocks: Block[] = [
    { type: 'header', text: plain(cutText(title, HEADER_CHARACTERS_MAX)) },
    { type: 'section', text: markdown(notification.finding.summary, SECTION_CHARACTERS_MAX) },
    { type: 'section', fields: fieldsOf(notification.finding) }
  ]
  const buttons = buttonsOf(notification)
  if (buttons.length > 0) blocks.push({ type: 'actions', elements: buttons })
  const text = escapeWithin(`${title}: ${notification.finding.summary}`, SECTION_CHARACTERS_MAX)
  return { text, blocks }
}

const MARKS = { info: '🔵', warning: '🟠', critical: '🔴' } as const

const titleOf = ({ notice, finding }: Notification): string => {
  const mark = notice.kind === 'resolved' ? '🟢' : MARKS[notice.severity]
  const who = finding.tenant === null ? '' : ` of ${finding.tenant}`
  return `${mark} ${finding.signal}${who} ${notice.kind}`
}

const fieldsOf = (finding: Finding): Text[] => {
  const pairs: [string, string | number | boolean | null][] = [
    ['Since', finding.started_at],
    ['Axis', finding.axis],
    ['$ per hour', finding.cost_usd_per_hour],
    ['Culprit', finding.culprit === null ? null : figuresOf(finding.culprit)],
    ...Object.entries(finding.scope)
  ]
  const changes = Object.entries(finding.after).map(([name, after]): [string, string] => {
    const before = finding.before[name]
    return [name, before === undefined ? String(after) : `${before} → ${after}`]
  })
  return [...pairs, ...changes]
    .filter(([, value]) => value !== null)
    .slice(0, FIELDS_MAX)
    .map(([name, value]) => markdown(`${name}: ${value}`, FIELD_CHARACTERS_MAX))
}

const figuresOf = (figures: Finding['before']): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const buttonsOf = ({ links }: Notification): Button[] =>
  [
    { title: 'Open incident', url: links.page },
    { title: 'Runbook', url: links.runbook }
  ].flatMap(({ title, url }): Button[] =>
    url === null || url.length > URL_CHARACTERS_MAX
      ? []
      : [{ type: 'button', text: plain(title), url }]
  )

const plain = (text: string): Text => ({ type: 'plain_text', text })

/** Slack's three control characters are escaped, so that a tenant's name can't mention @channel. */
const markdown = (text: string, charactersMax: number): Text => ({
  type: 'mrkdwn',
  text: escapeWithin(text, charactersMax)
})

const escapeWithin = (text: string, charactersMax: number): string => {
  let escaped = ''
  for (const character of text) {
    const next = ESCAPES[character] ?? character
    if (escaped.length + next.length >= charactersMax) return `${escaped}…`
    escaped += next
  }
  return escaped
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
