import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EventSplitter } from './events.ts'
import {
  absent,
  lines,
  sample,
  whole,
  type ErrorLine,
  type ResponseLine
} from './fixtures/recordings.ts'
import { normalize, type Normalized } from './normalize.ts'

/** Small generator with a fixed seed: the cuts are the same in every run. */
const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const EVERY_BYTE_MAX = 500
const RANDOM_CUTS = 20

const cutsOf = (bytes: Buffer, seed: number): number[] => {
  if (bytes.length <= EVERY_BYTE_MAX) return [...bytes.keys()]
  const random = randomOf(seed)
  const last = bytes.lastIndexOf(10, bytes.length - 2)
  const edges = [1, last - 1, last, last + 1, last + 2, bytes.length - 2, bytes.length - 1]
  const cuts = Array.from({ length: RANDOM_CUTS }, () => Math.floor(random() * bytes.length))
  return [...edges, ...cuts].filter((cut) => cut > 0)
}

const isFlagged = (read: Normalized): boolean =>
  read.warnings.length > 0 || read.confidence === 'none'

const checkCuts = (text: string): void => {
  for (const [index, line] of lines<ResponseLine>(text).entries()) {
    const full = normalize({ body: line.body })
    // Transcripts of two calls in a row: the first one alone is whole, and right.
    if (full.warnings.includes('stream_several_responses')) continue
    const bytes = Buffer.from(line.body)
    for (const cut of cutsOf(bytes, index + 1)) {
      const read = normalize({ body: bytes.subarray(0, cut).toString() })
      if (isFlagged(read)) continue
      assert.deepEqual(read.tokens, full.tokens, `${line.path} cut at byte ${cut}`)
    }
  }
}

/** The same stream as server-sent events, as a list of events, and in other line endings. */
const formsOf = (body: string): unknown[] => {
  const events = body.split('\n').filter((line) => line !== '')
  return [
    events.map((event) => `data: ${event}\n\n`).join(''),
    `${events.map((event) => `event: x\r\ndata:${event}\r\n\r\n`).join('')}data: [DONE]\r\n\r\n`,
    `: comment\n\n${events.map((event) => `id: 1\ndata: ${event}`).join('\n\n')}`,
    events.map((event) => JSON.parse(event) as unknown),
    `[${events.join(',\n')}]`,
    `[${events.map((event) => JSON.stringify(JSON.parse(event), null, 2)).join('\n,\n')}\n]`
  ]
}

const checkForms = (text: string): number => {
  let streams = 0
  for (const line of lines<ResponseLine>(text)) {
    if (line.format === 'json') continue
    streams += 1
    const full = normalize({ body: line.body })
    for (const [index, body] of formsOf(line.body).entries()) {
      const read = normalize({ body })
      assert.deepEqual(read.tokens, full.tokens, `${line.path} in form ${index}`)
      assert.equal(read.stop_reason, full.stop_reason, line.path)
    }
  }
  return streams
}

describe('recorded responses and streams', () => {
  test('cut at every byte are right or flagged, in the sample', () => {
    checkCuts(sample('responses.ndjson'))
  })

  test('cut anywhere are right or flagged, all 145', { skip: absent }, () => {
    checkCuts(whole('provider-responses/fixtures.jsonl.gz'))
  })

  test('read the same in every form of a stream, in the sample', () => {
    assert.ok(checkForms(sample('responses.ndjson')) > 0)
  })

  test('read the same in every form of a stream, all', { skip: absent }, () => {
    assert.equal(checkForms(whole('provider-responses/fixtures.jsonl.gz')), 63)
  })

  test('are all read, but for those that hold no usage', { skip: absent }, () => {
    const unread = lines<ResponseLine>(whole('provider-responses/fixtures.jsonl.gz'))
      .filter(({ body }) => normalize({ body }).usage_source === 'none')
      .map(({ path }) => path.split('/').at(-1))
    assert.deepEqual(unread, [
      'gladia-result.json',
      'google-429-retry-info.json',
      'reasoning-model-legacy-parameter-error.json',
      'openai-error.1.chunks.txt',
      'openai-error.1.json'
    ])
  })

  test('are split into the same events however the pieces fall', () => {
    const random = randomOf(7)
    for (const { body, format } of lines<ResponseLine>(sample('responses.ndjson'))) {
      if (format === 'json') continue
      for (const form of formsOf(body)) {
        if (typeof form === 'string') checkPieces(form, random)
      }
    }
  })
})

const checkPieces = (text: string, random: () => number): void => {
  const atOnce = new EventSplitter()
  const expected = [...atOnce.push(text), ...atOnce.end().events]
  const splitter = new EventSplitter()
  const events: unknown[] = []
  for (let start = 0; start < text.length;) {
    const end = start + 1 + Math.floor(random() * 40)
    events.push(...splitter.push(text.slice(start, end)))
    start = end
  }
  events.push(...splitter.end().events)
  assert.deepEqual(events, expected)
}

const CLASS_BY_STATUS: Record<number, readonly string[]> = {
  400: ['invalid', 'not_found'],
  401: ['auth'],
  404: ['not_found'],
  409: ['conflict']
}

const checkErrors = (text: string): number => {
  const all = lines<ErrorLine>(text)
  for (const line of all) {
    const { body, http_status: status, headers } = line
    for (const form of [body, JSON.stringify(body)]) {
      const read = normalize({ body: form, status, headers })
      assert.ok(CLASS_BY_STATUS[status]?.includes(read.provider_error?.class ?? ''), line.host)
      assert.equal(read.provider_error?.status, status)
      assert.equal(read.stop_class, 'error')
      assert.equal(read.tokens.in_total, null)
    }
    const alone = normalize({ body })
    assert.ok(alone.provider_error !== null, `an error without its status: ${line.host}`)
    const bytes = Buffer.from(JSON.stringify(body))
    for (const cut of bytes.keys()) {
      const read = normalize({ body: bytes.subarray(0, cut).toString() })
      assert.ok(isFlagged(read), `${line.host} cut at byte ${cut}`)
    }
  }
  return all.length
}

describe('recorded errors', () => {
  test('are classed by status and by body alone, and cut anywhere are flagged', () => {
    assert.equal(checkErrors(sample('errors.ndjson')), 24)
  })
})
