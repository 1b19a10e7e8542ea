import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { EventSplitter } from './events.ts'
import { normalize, type Normalized } from './normalize.ts'

/**
 * Bodies that providers really sent: a licensed sample beside the code, and the whole recordings
 * where they are at hand. The sample's `extracted` is another program's reading, not law: where
 * ours differs, the row must say why, and a test below defends the reason.
 */
const sample = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')

const shared = new URL('../../../../shared/data/', import.meta.url)
const whole = (path: string): string => {
  const bytes = readFileSync(new URL(path, shared))
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}
const absent = existsSync(shared) ? false : 'the recordings are not beside the repository'

type Extracted = {
  usage: Record<string, number>
  extractors: { provider_id: string; api_flavor: string }[]
}
type UsageLine = { i: number; body: Record<string, unknown>; extracted: Extracted[] }
type ResponseLine = { path: string; format: string; body: string }
type ErrorLine = {
  host: string
  http_status: number
  headers: Record<string, unknown>
  body: unknown
}

const lines = <Line>(text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

/** The reader in the oracle that belongs to the API that the body came from. */
const flavourOf = (body: Record<string, unknown>): string => {
  if (body['usageMetadata'] !== undefined) return 'google/default'
  if (body['meta'] !== undefined) return 'cohere/embeddings'
  const usage = body['usage'] as Record<string, unknown>
  if (usage['billed_units'] !== undefined) return 'cohere/tokens'
  if (usage['inputTokens'] !== undefined) return 'aws/default'
  if (usage['prompt_tokens'] !== undefined) {
    return usage['completion_tokens'] === undefined ? 'openai/embeddings' : 'openai/chat'
  }
  return usage['input_tokens_details'] === undefined ? 'anthropic/default' : 'openai/responses'
}

const oracleOf = ({ body, extracted }: UsageLine): Record<string, number> => {
  const flavour = flavourOf(body)
  const found = extracted.find(({ extractors }) =>
    extractors.some((one) => `${one.provider_id}/${one.api_flavor}` === flavour)
  )
  assert.ok(found, `no reading of ${flavour}`)
  return found.usage
}

/** The warnings that excuse a difference, each defended by a test of its own below. */
const EXCUSES = ['cache_field_undocumented', 'reasoning_from_total', 'billed_units_differ']

const compare = (line: UsageLine, read: Normalized): string[] => {
  const oracle = oracleOf(line)
  const pairs = [
    ['input', read.tokens.in_total, oracle['input_tokens']],
    ['cache read', read.tokens.in_cache_read, oracle['cache_read_tokens']],
    ['output', read.tokens.out_total, oracle['output_tokens']]
  ] as const
  return pairs.filter(([, ours, theirs]) => (ours ?? 0) !== (theirs ?? 0)).map(([name]) => name)
}

const checkUsages = (text: string): { differing: number } => {
  let differing = 0
  for (const line of lines<UsageLine>(text)) {
    const { usage, usageMetadata, meta, ...rest } = line.body
    const block = usage ?? usageMetadata ?? meta
    const forms = [
      line.body,
      { usage, usageMetadata, meta },
      meta === undefined ? block : { meta },
      JSON.stringify(line.body),
      { ...rest, response: { body: line.body }, custom_id: 'x' }
    ]
    const reads = forms.map((body) => normalize({ provider: null, api: null, body }))
    for (const read of reads) {
      const differences = compare(line, read)
      if (differences.length > 0) {
        const excuse = EXCUSES.find((code) => read.warnings.includes(code))
        assert.ok(excuse, `body ${line.i} silently differs in ${differences.join()}`)
      }
    }
    differing += compare(line, reads[0] as Normalized).length > 0 ? 1 : 0
    checkSums(reads[0] as Normalized, line.i)
  }
  return { differing }
}

/** Buckets are disjoint and add up to the totals. */
const checkSums = ({ tokens }: Normalized, name: unknown): void => {
  const input =
    (tokens.in_uncached ?? 0) +
    (tokens.in_cache_read ?? 0) +
    (tokens.in_cache_write_5m ?? 0) +
    (tokens.in_cache_write_30m ?? 0) +
    (tokens.in_cache_write_1h ?? 0) +
    (tokens.in_cache_write_12h ?? 0) +
    (tokens.in_cache_write_unk ?? 0) +
    (tokens.in_tool_use ?? 0)
  if (tokens.in_total !== null) assert.equal(input, tokens.in_total, `input of ${String(name)}`)
  if (tokens.out_text !== null) {
    assert.equal(tokens.out_text + (tokens.out_reasoning ?? 0), tokens.out_total, String(name))
  }
}

describe('recorded usage bodies', () => {
  test('agree with the oracle or say why not, in the sample', () => {
    checkUsages(sample('usages.ndjson'))
  })

  test('agree with the oracle or say why not, all 996', { skip: absent }, () => {
    const { differing } = checkUsages(whole('provider-usage/usages.jsonl.gz'))
    // 19 undocumented cache counts, 2 hidden reasoning counts, 3 bodies with two truths.
    assert.equal(differing, 24)
  })

  test('need no warning on all but the few that are odd', { skip: absent }, () => {
    const all = lines<UsageLine>(whole('provider-usage/usages.jsonl.gz'))
    const unsure = all.filter(({ body }) => normalize({ body }).confidence !== 'high')
    assert.equal(unsure.length, 32)
  })

  test('a cache count that only an undocumented field holds is read, and said to be so', () => {
    // The other program reads no cache here: 70 prompt tokens at full price although 69 are cached.
    const usage = {
      prompt_tokens: 70,
      completion_tokens: 12,
      total_tokens: 82,
      num_cached_tokens: 69
    }
    const { tokens, warnings, provider } = normalize({ body: { usage } })
    assert.equal(provider, 'mistral_ai')
    assert.deepEqual([tokens.in_cache_read, tokens.in_uncached, tokens.in_total], [69, 1, 70])
    assert.deepEqual(warnings, ['cache_field_undocumented'])
  })

  test('thinking that Gemini leaves out behind an OpenAI front is found in the total', () => {
    // 109 - 35 - 12 = 62 thinking tokens, billed as output; the other program sees 12.
    const usage = { prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 }
    const { tokens, warnings } = normalize({ model: 'gemini-2.5-pro', body: { usage } })
    assert.deepEqual([tokens.out_text, tokens.out_reasoning, tokens.out_total], [12, 62, 74])
    assert.deepEqual(warnings, ['reasoning_from_total'])
  })

  test('Cohere is counted by what it bills, and the difference is said', () => {
    const usage = {
      billed_units: { input_tokens: 81, output_tokens: 22 },
      tokens: { input_tokens: 1530, output_tokens: 33 },
      cached_tokens: 1024
    }
    const { tokens, warnings } = normalize({ body: { usage } })
    assert.deepEqual([tokens.in_total, tokens.out_total], [81, 22])
    assert.equal(tokens.in_cache_read, null)
    assert.deepEqual(warnings, ['billed_units_differ'])
  })
})

/** Small generator with a fixed seed: the cuts are the same in every run. */
const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const EVERY_BYTE_MAX = 700
const RANDOM_CUTS = 40

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
