import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { localCounts, textOf } from './local-counts.ts'
import { dominantScript } from './script.ts'
import { loadTokenizer } from './tokenizer.ts'

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

test('a text beyond the bound is not counted at all, rather than in part', async () => {
  await loadTokenizer()
  const huge = textOf({ input: 'a '.repeat(2 * 1024 * 1024) })
  assert.equal(huge, null)
  assert.deepEqual(localCounts(null, null), { local: null, script: null })
})
