import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notice } from '../../../../schemas/incidents.ts'
import { linkBook } from '../../links.ts'
import { sampleFinding } from '../../sample.ts'
import { messageOf } from './message.ts'

const notice: Notice = {
  number: 7,
  id: 'msg_0123',
  at: '2026-01-01T08:59:00.000Z',
  kind: 'opened',
  withheld: null,
  episode: 1,
  fingerprint: 'f',
  sequence: 3,
  signal: 'cache-thrash',
  tenant: 'tenant-b',
  severity: 'critical'
}

const message = (changes: Parameters<typeof sampleFinding>[0], page: string | null = null) => {
  const finding = sampleFinding(changes)
  return messageOf({ notice, finding, links: linkBook(page)(finding) })
}

test('says who, what, since when and how much in one screen', () => {
  const { text, blocks } = message({}, 'https://tally.example')
  assert.match(text, /^🔴 cache-thrash of tenant-b opened: Trial/)
  assert.deepEqual(
    blocks.map(({ type }) => type),
    ['header', 'section', 'section', 'actions']
  )
  const said = JSON.stringify(blocks)
  for (const part of ['hit_rate_pct: 71 → 18', '12.40', 'tenant-a', '/runbooks/cache-thrash']) {
    assert.ok(said.includes(part), part)
  }
})

test('has no buttons without a page to open', () => {
  assert.deepEqual(
    message({}).blocks.map(({ type }) => type),
    ['header', 'section', 'section']
  )
})

test('mentions nobody, whatever a tenant calls itself', () => {
  const said = JSON.stringify(
    message({ summary: '<!channel> & <@U1>', tenant: '<!here>', scope: { '<!x>': '<!y>' } })
  )
  const { blocks, text } = JSON.parse(said) as ReturnType<typeof message>
  const marked = blocks.filter(({ type }) => type === 'section')
  assert.ok(!JSON.stringify(marked).includes('<'))
  assert.ok(!text.includes('<'))
})

test('stays within the limits of Slack for texts of any length', () => {
  const long = '<&>𝄞'.repeat(5_000)
  const { blocks, text } = message({
    summary: long,
    tenant: long,
    scope: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key${index}`, long])),
    fingerprint: long
  })
  assert.ok(text.length <= 3_000)
  assert.ok(blocks.length <= 50)
  for (const block of blocks) {
    if (block.type === 'header') assert.ok(block.text.text.length <= 150)
    if (block.type !== 'section') continue
    if ('text' in block) assert.ok(block.text.text.length <= 3_000)
    else
      assert.ok(
        block.fields.length <= 10 && block.fields.every((field) => field.text.length <= 2_000)
      )
  }
})
