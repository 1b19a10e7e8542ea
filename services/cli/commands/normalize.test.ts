import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { runCli } from '../shell.ts'

type Run = { code: number; stdout: string; stderr: string }

const run = async (argv: string[], stdin: string | Buffer[]): Promise<Run> => {
  const written = { stdout: '', stderr: '' }
  const into = (name: 'stdout' | 'stderr'): Writable =>
    new Writable({
      highWaterMark: 64,
      write: (chunk, _, done) => {
        written[name] += String(chunk)
        setImmediate(done)
      }
    })
  const code = await runCli(['normalize', ...argv], {
    stdin: Readable.from(typeof stdin === 'string' ? [Buffer.from(stdin)] : stdin),
    stdout: into('stdout'),
    stderr: into('stderr'),
    now: () => new Date('2026-11-20T12:00:00Z'),
    env: {}
  })
  await new Promise((resolve) => setImmediate(resolve))
  return { code, ...written }
}

const results = ({ stdout }: Run): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
const FABLE = {
  type: 'message',
  model: 'claude-opus-5-5',
  usage: {
    input_tokens: 900,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 20_000,
    output_tokens: 700,
    iterations: [
      {
        type: 'compaction',
        input_tokens: 4000,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 150_000,
        output_tokens: 2500
      },
      {
        type: 'message',
        model: 'claude-opus-5-5',
        input_tokens: 900,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 20_000,
        output_tokens: 700
      },
      {
        type: 'advisor_message',
        model: 'claude-sonnet-4-6',
        input_tokens: 1200,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 150
      }
    ]
  }
}

describe('tally normalize', () => {
  test('prints buckets, totals, convention, confidence and warnings of one body', async () => {
    const done = await run(['--as', 'openai/chat'], JSON.stringify({ usage: USAGE }))
    assert.equal(done.code, 0)
    const [result] = results(done)
    assert.equal(result?.['provider'], 'openai')
    assert.equal(result?.['api'], 'chat')
    assert.equal(result?.['in_uncached'], 10)
    assert.equal(result?.['in_cache_read'], null)
    assert.equal(result?.['in_total'], 10)
    assert.equal(result?.['out_total'], 5)
    assert.equal(result?.['confidence'], 'high')
    assert.deepEqual(result?.['warnings'], [])
    assert.equal(typeof result?.['convention'], 'string')
    const tokens = result?.['tokens'] as Record<string, unknown> | undefined
    assert.equal(tokens?.['in_total'], 10)
  })

  test('reads the transcript of a stream from stdin', async () => {
    const done = await run([], `data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\n`)
    assert.equal(results(done)[0]?.['in_total'], 10)
  })

  test('answers each line in order, with an error where a line can not be read', async () => {
    const lines = [
      JSON.stringify({ provider: 'openai', api: 'chat', model: 'm', body: { usage: USAGE } }),
      '{"body": ',
      '',
      '42',
      JSON.stringify({ provider: 7, body: {} }),
      JSON.stringify({ provider: null, api: null, model: null }),
      JSON.stringify({ provider: null, api: null, model: null, body: { a: '\u2028' } }),
      JSON.stringify({ body: { usage: { ...USAGE, prompt_tokens: 11, total_tokens: 16 } } })
    ]
    const done = await run(['--ndjson'], lines.join('\n'))
    assert.equal(done.code, 0)
    const answers = results(done)
    assert.equal(answers.length, lines.length)
    const unread = answers.flatMap((answer, index) =>
      answer['error'] === undefined ? [] : [index]
    )
    assert.deepEqual(unread, [1, 2, 3, 4, 5])
    assert.deepEqual(answers[1]?.['error'], {
      code: 'E_BODY_UNREADABLE',
      message: 'the line is not JSON'
    })
    assert.equal(answers[0]?.['in_total'], 10)
    assert.deepEqual(answers[6]?.['warnings'], ['usage_missing'])
    assert.equal(answers[7]?.['in_total'], 11)
  })

  test('refuses a line that is not UTF-8, and reads lines cut between any two bytes', async () => {
    const bad = Buffer.from([0x7b, 0xff, 0x0a])
    const good = Buffer.from(`${JSON.stringify({ body: { usage: USAGE, id: 'é' } })}\n`)
    const pieces = [...good].map((byte) => Buffer.from([byte]))
    const answers = results(await run(['--ndjson'], [bad, ...pieces]))
    const error = answers[0]?.['error'] as { message: string } | undefined
    assert.equal(error?.message, 'the line is not UTF-8')
    assert.equal(answers[1]?.['response_id'], 'é')
  })

  test('adds the price of each bucket and of each sub-inference at its own model', async () => {
    const done = await run(
      ['--as', 'anthropic/messages', '--price', '--at', '2026-11-20T12:00:00Z'],
      JSON.stringify(FABLE)
    )
    const cost = results(done)[0]?.['cost_usd'] as { total: string; parts: object }
    assert.equal(cost.total, '0.12345')
    assert.equal(typeof results(done)[0]?.['price_id'], 'string')
  })

  test('fails with a hint on an empty stdin and on options that make no sense', async () => {
    assert.equal((await run([], '')).code, 1)
    assert.equal((await run(['--at', '2026-01-01T00:00:00Z'], '{}')).code, 2)
    assert.equal((await run(['--price', '--at', 'yesterday'], '{}')).code, 2)
    const garbage = await run([], 'not a body')
    assert.equal(garbage.code, 1)
    assert.deepEqual(results(garbage)[0]?.['warnings'], ['body_unreadable'])
  })
})
