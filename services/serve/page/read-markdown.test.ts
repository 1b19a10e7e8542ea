import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { readMarkdown, readSpans } from './app/read-markdown.ts'

describe('Markdown of runbooks', () => {
  test('is headings, paragraphs, lists, tables and code', () => {
    const blocks = readMarkdown(
      '# A\n\none\ntwo\n\n1. first\n   more\n2. second\n\n```sql\n# not a heading\n```\n| a | b |\n|---|--:|\n| 1 | 2 |'
    )
    assert.deepEqual(blocks, [
      { kind: 'heading', level: 1, text: 'A' },
      { kind: 'paragraph', text: 'one two' },
      { kind: 'list', ordered: true, items: ['first more', 'second'] },
      { kind: 'code', text: '# not a heading' },
      {
        kind: 'table',
        rows: [
          ['a', 'b'],
          ['1', '2']
        ]
      }
    ])
  })

  test('has links to the web alone: others stay text', () => {
    assert.deepEqual(
      readSpans('see [it](https://x.example/a) or [run](javascript:alert) `c` **d**'),
      [
        { kind: 'text', text: 'see ' },
        { kind: 'link', text: 'it', href: 'https://x.example/a' },
        { kind: 'text', text: ' or ' },
        { kind: 'text', text: 'run' },
        { kind: 'text', text: ' ' },
        { kind: 'code', text: 'c' },
        { kind: 'text', text: ' ' },
        { kind: 'strong', text: 'd' }
      ]
    )
  })

  test('loses no word of any runbook that ships', async () => {
    const signals = new URL('../../signals/', import.meta.url)
    const folders = await readdir(signals, { withFileTypes: true })
    const words = (text: string): string[] => text.match(/[a-z]{3,}/gi) ?? []
    let runbooks = 0
    for (const folder of folders.filter((entry) => entry.isDirectory())) {
      const file = new URL(`${folder.name}/runbook.md`, signals)
      const text = await readFile(file, 'utf8').catch(() => null)
      if (text === null) continue
      runbooks++
      const shown = JSON.stringify(readMarkdown(text)).replaceAll('\\n', ' ')
      const missing = words(text.replaceAll(/^```\w+$/gm, '')).filter(
        (word) => !shown.includes(word)
      )
      assert.deepEqual(missing, [], folder.name)
    }
    assert.ok(runbooks > 5)
  })
})
