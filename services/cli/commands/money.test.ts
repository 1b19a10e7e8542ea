import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { runCli } from '../shell.ts'

/** The verbs about prices, bills and charges, as people call them. */

let folder = ''
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tally-money-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const tally = async (...args: string[]) => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const now = () => new Date('2026-11-20T12:00:00Z')
  const code = await runCli(args, { stdin, stdout, stderr, now, env: {} })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

const fileOf = async (name: string, text: string): Promise<string> => {
  const file = path.join(folder, name)
  await writeFile(file, text)
  return file
}

describe('the help of a verb about money', () => {
  const OPTIONS = {
    prices: ['--at', '--contracts', '--book', '--litellm', '--month', '--apply'],
    reconcile: ['--bill', '--as', '--events', '--import', '--floor', '--check'],
    close: ['--dry-run', '--accept', '--by', '--as-of', '--out'],
    export: ['--month', '--format', '--focus-version', '--stream'],
    budget: ['--budgets', '--month', '--check']
  }
  for (const [verb, names] of Object.entries(OPTIONS)) {
    test(`names the options of ${verb}`, async () => {
      const { code, out } = await tally(verb, '--help')
      assert.equal(code, 0)
      for (const name of names) assert.match(out, new RegExp(`${name}\\b`), name)
    })
  }
})

describe('a wrong use says what failed, the value, and what to do', () => {
  type Wrong = { args: string; code: number; says: RegExp }
  const WRONG: readonly Wrong[] = [
    { args: 'prices foo', code: 2, says: /no verb "foo"\n {2}tally prices explain MODEL \| diff/ },
    { args: 'prices explain', code: 2, says: /give one model\n {2}tally prices explain MODEL/ },
    {
      args: 'prices explain gpt-4o --at never',
      code: 2,
      says: /--at never .*\n {2}Write it as 2026/
    },
    { args: 'prices explain gpt-4o --book FOLDER/none', code: 1, says: /none\n {2}Name a book/ },
    { args: 'prices diff', code: 2, says: /a book to compare with\n {2}tally prices diff BOOK/ },
    { args: 'prices update', code: 2, says: /give --litellm FILE and --genai FILE\n {2}Both/ },
    { args: 'prices reprice', code: 2, says: /give --data DIR and --month MONTH\n {2}tally/ },
    {
      args: 'prices reprice --data FOLDER --month 2026-13',
      code: 2,
      says: /"2026-13" is not a month/
    },
    { args: 'prices reprice --data FOLDER --month 2026-10', code: 1, says: /E_LAKE_MISSING/ },
    {
      args: 'reconcile',
      code: 2,
      says: /give --bill FILE with --as DIALECT.*\n {2}Dialects: anthropic/
    },
    {
      args: 'reconcile --data FOLDER --floor many',
      code: 2,
      says: /--floor many .*\n {2}Write it/
    },
    {
      args: 'close 2026-10 --data FOLDER --accept bills --by me',
      code: 2,
      says: /--accept bills: .*\n {2}There are: hours, gaps/
    },
    {
      args: 'close 2026-10 --data FOLDER --accept gaps',
      code: 2,
      says: /--accept needs --by\n {2}The manifest/
    },
    {
      args: 'close October --data FOLDER',
      code: 2,
      says: /"October" is not a month\n {2}Write it/
    },
    { args: 'close 2026-10 --data FOLDER', code: 1, says: /E_LAKE_MISSING.*\n {2}Name the folder/ },
    {
      args: 'export csv --data FOLDER -o FOLDER',
      code: 2,
      says: /no export "csv"\n {2}tally export/
    },
    { args: 'export focus --data FOLDER -o FOLDER --format xls', code: 2, says: /--format xls/ },
    { args: 'budget --data FOLDER --budgets FOLDER/none', code: 2, says: /none can not be read/ }
  ]
  for (const { args, code, says } of WRONG) {
    test(`tally ${args}`, async () => {
      const done = await tally(...args.split(' ').map((word) => word.replace('FOLDER', folder)))
      assert.match(done.err, says)
      assert.deepEqual([done.code, done.out], [code, ''])
    })
  }

  test('a bill that is none is named with its file and its schema', async () => {
    const events = await fileOf('none.ndjson', '')
    const json = await fileOf('bill.json', 'no json')
    const csv = await fileOf('bill.csv', 'day,cost\n')
    const of = (bill: string, as: string) =>
      tally('reconcile', '--bill', bill, '--as', as, '--events', events)
    assert.match(
      (await of(json, 'openai/costs')).err,
      /bill\.json: line 1 is not JSON\n {2}Is it what/
    )
    assert.match((await of(csv, 'focus')).err, /bill\.csv: the header has no column BilledCost,/)
    assert.match((await of(json, 'no/such')).err, /no bill is read as "no\/such"\n {2}Known: /)
  })
})

describe('tally prices', () => {
  test('explains a model: price, id, where it comes from, hours of its own', async () => {
    const { code, out } = await tally(
      'prices',
      'explain',
      'deepseek-chat',
      '--at',
      '2026-10-01T18:00:00Z'
    )
    assert.equal(code, 0)
    assert.match(
      out,
      /^deepseek-chat at 2026-10-01T18:00:00.000Z: deepseek\/deepseek-chat:standard@/
    )
    assert.match(out, /00:30-16:30 UTC, weekdays 1 2 3 4 5 6 7: in \$/)
    assert.match(out, /\(genai-prices, litellm\)/)
  })

  test('exits 1 for a model without a price, and says so', async () => {
    const { code, out } = await tally('prices', 'explain', 'nobody-knows', '--json')
    assert.equal(code, 1)
    const { price, unpriced, rows } = JSON.parse(out) as Record<string, unknown>
    assert.deepEqual([price, rows], [null, []])
    assert.match(String(unpriced), /no price of model nobody-knows/)
  })

  test('diff shows each price that another book has differently', async () => {
    const header = {
      book: 'tallystream-prices',
      date: '2026-10-01',
      sources: [{ id: 'x', version: '1', date: '2026-10-01', sha256: '0', licence: 'MIT' }]
    }
    const row = (permille: number, night: number) => ({
      provider: 'p',
      model: 'm',
      sources: ['x'],
      cards: { standard: { rates: { in: 2 } } },
      regionPermille: { eu: permille },
      windows: [{ minutes: [[0, 60]], weekdays: [7], card: { rates: { in: night } } }]
    })
    const book = (...rows: object[]) =>
      [header, ...rows].map((one) => JSON.stringify(one)).join('\n')
    const old = await fileOf('old.ndjson', book(row(1100, 1)))
    const next = await fileOf('new.ndjson', book(row(1200, 3)))
    const { code, out } = await tally('prices', 'diff', old, next)
    assert.equal(code, 0)
    assert.equal(
      out,
      'changed p/m@start minutes 0-60 of weekdays 7.in 1 → 3, permille region eu 1100 → 1200\n'
    )
    assert.equal((await tally('prices', 'diff', old, old)).out, '')
  })
})
