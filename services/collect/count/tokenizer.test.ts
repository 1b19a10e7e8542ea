import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { loadTokenizer } from './tokenizer.ts'

const counted = await loadTokenizer()
const byLibrary = (text: string): number => countTokens(text, { disallowedSpecial: new Set() })

const assertSame = (text: string): void =>
  assert.equal(counted?.count(text), byLibrary(text), JSON.stringify(text))

/** What decides where a piece ends, so that short texts meet every rule. */
const ATOMS = [
  ...'aZ09 \t\v\r\n\'"/({.-_\0\x7f'.split(''),
  "'s",
  "'LL",
  "'Re",
  'word',
  'HTTPServer',
  '\r\n',
  '  '
]

test('texts of ASCII have the count that the tokenizer gives the whole of them', () => {
  const text = fc.array(fc.constantFrom(...ATOMS), { maxLength: 24 }).map((atoms) => atoms.join(''))
  fc.assert(fc.property(text, assertSame), { numRuns: 5000, seed: 7 })
  fc.assert(fc.property(fc.string({ maxLength: 60 }), assertSame), { numRuns: 2000, seed: 7 })
})

test('prose and programs have it too', () => {
  for (const name of ['tokenizer.ts', 'script.ts', '../README.md']) {
    const text = readFileSync(new URL(name, import.meta.url), 'utf8')
    assertSame(text)
    assertSame(text.replaceAll(/[^\0-\x7f]/g, ''))
  }
})
