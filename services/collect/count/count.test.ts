import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { answerText } from './answer-text.ts'
import { localCounts, newBudget } from './local-counts.ts'
import { dominantScript } from './script.ts'
import { textOf } from './text-of.ts'
import { loadTokenizer } from './tokenizer.ts'
import { WORK_MAX } from './work.ts'

const DATA = new URL('../../../../shared/data/multilingual-tokens/', import.meta.url)
const skip = existsSync(DATA) ? false : 'no data folder beside the repository'

type Paragraph = { text: string; lang: string; script: string; tokens: { o200k: number } }

/** What the data calls the scripts, by ISO 15924. */
const NAMES: Readonly<Record<string, string>> = {
  Latin: 'Latn',
  Cyrillic: 'Cyrl',
  Greek: 'Grek',
  Arabic: 'Arab',
  Hebrew: 'Hebr',
  Devanagari: 'Deva',
  Bengali: 'Beng',
  Tamil: 'Taml',
  Thai: 'Thai',
  Hangul: 'Kore',
  Han: 'Hani'
}
/** The data tells Japanese by the script that most letters of a paragraph have. */
const isoOf = ({ lang, script }: Paragraph): string | undefined =>
  lang === 'jpn' ? 'Jpan' : NAMES[script]

test('real paragraphs of 24 languages get their script and their count', { skip }, async () => {
  const bytes = gunzipSync(readFileSync(new URL('udhr_paragraphs.jsonl.gz', DATA)))
  const counter = await loadTokenizer()
  const paragraphs = bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Paragraph)
  const wrong = paragraphs.filter((paragraph) => {
    const { text, tokens } = paragraph
    const isCounted = counter === null || counter.count(text) === tokens.o200k
    return dominantScript(text) !== isoOf(paragraph) || !isCounted
  })
  assert.ok(paragraphs.length > 1000)
  assert.deepEqual(
    wrong.slice(0, 5).map(({ text, script }) => [script, dominantScript(text), text.slice(0, 40)]),
    []
  )
})

test('program text is code, and text without letters has no script', () => {
  const source = readFileSync(new URL('script.ts', import.meta.url), 'utf8')
  assert.equal(dominantScript(source), 'Code')
  assert.equal(dominantScript('123 … ?!'), null)
})

test('the text of a request is what its messages say, not its ids and numbers', () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello' },
        { type: 'image_url', url: 'x' }
      ]
    }
  ]
  assert.equal(textOf({ model: 'gpt-4o', temperature: 1, messages }), 'Be brief.\nHello')
  assert.equal(textOf({ model: 'gpt-4o' }), null)
})

test('a call of a tool is text that the model wrote; what a gateway removed is no text', () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'find', input: { city: 'Oslo' } }
  const spoken = { function: { name: 'find', arguments: '{"city":"Oslo"}' } }
  assert.equal(textOf({ content: [call] }), '{"city":"Oslo"}')
  assert.equal(textOf({ message: { content: null, tool_calls: [spoken] } }), '{"city":"Oslo"}')
  for (const removed of ['redacted-by-litellm', 'Fish … (litellm_truncated 900 chars)']) {
    assert.equal(textOf([{ role: 'user', content: removed }, { content: 'more' }]), null)
  }
})

const SAID = 'Pikes like perch.'
const sse = (...events: unknown[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const HALVES = [SAID.slice(0, 6), SAID.slice(6)]
const ANSWERS: Readonly<Record<string, unknown>> = {
  'a chat completion': { choices: [{ message: { role: 'assistant', content: SAID } }] },
  'a stream of one': sse(...HALVES.map((content) => ({ choices: [{ delta: { content } }] })), {
    choices: [],
    usage: { prompt_tokens: 1 }
  }),
  'a message': { type: 'message', content: [{ type: 'text', text: SAID }] },
  'a stream of one by Anthropic': sse(
    { type: 'message_start', message: { id: 'msg_1', content: [] } },
    ...HALVES.map((text) => ({ type: 'content_block_delta', delta: { type: 'text_delta', text } })),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } }
  ),
  'a response, which repeats its instructions': {
    object: 'response',
    instructions: 'Be brief.',
    output: [{ type: 'message', content: [{ type: 'output_text', text: SAID }] }]
  },
  'a stream of one, whose end repeats it': sse(
    ...HALVES.map((delta) => ({ type: 'response.output_text.delta', delta })),
    { type: 'response.output_text.done', text: SAID },
    { type: 'response.completed', response: { output: [{ content: [{ text: SAID }] }] } }
  ),
  'chunks of Gemini': HALVES.map((text) => ({ candidates: [{ content: { parts: [{ text }] } }] })),
  'events of Bedrock': HALVES.map((text) => ({ contentBlockDelta: { delta: { text } } })),
  'lines of Ollama': HALVES.map((content) => JSON.stringify({ message: { content } })).join('\n'),
  'events of Cohere': HALVES.map((text) => ({
    type: 'content-delta',
    delta: { message: { content: { text } } }
  }))
}

for (const [name, body] of Object.entries(ANSWERS)) {
  test(`the text of ${name} is what was answered, once`, () => assert.equal(answerText(body), SAID))
}

test('a text that takes too long is not counted at all, rather than in part', async () => {
  const counter = await loadTokenizer()
  assert.deepEqual(localCounts(null, null), { local: null, script: null })
  // Byte pairs are merged in the square of an unbroken run: this takes minutes.
  const started = process.cpuUsage()
  for (const endless of [' '.repeat(300_000), '魚'.repeat(300_000), 'a '.repeat(20_000_000)]) {
    assert.equal(localCounts('Hi', endless).local?.out ?? null, null)
  }
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 20_000_000, 'far below what counting would have taken')
  // What a message may cost is shared by its items.
  const budget = newBudget()
  const text = 'The pike is a fish of prey. '.repeat(10_000)
  const counts = Array.from({ length: 60 }, () => localCounts(null, text, budget).local?.out)
  const counted = counts.filter((count) => typeof count === 'number')
  if (counter !== null) assert.ok(counted.length > 10 && counted.length < 60, `${counted.length}`)
  assert.ok(budget.work >= 0 && budget.work < WORK_MAX)
})
