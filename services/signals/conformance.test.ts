import assert from 'node:assert/strict'
import { mkdtemp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Finding } from '../../schemas/finding.ts'
import { Failure } from '../../schemas/failure.ts'
import { backtestEvents } from '../../jobs/detect/backtest.ts'
import { openDetection } from '../../jobs/detect/fold.ts'
import { openMemory, type MemoryDatabase } from '../lake/memory.ts'
import { loadBook } from '../rates/prices/book.ts'
import { Case, caseLines } from './case.ts'
import { checkClaims } from './claims.ts'
import { GRAINS } from './define.ts'
import { describeSignals, loadSignals, type LoadedSignal } from './load.ts'

const RUNBOOK_HEADINGS = ['Means', 'Check first', 'Fix', 'When it lies']

const readCases = async (signal: LoadedSignal): Promise<{ name: string; one: Case }[]> => {
  const folder = new URL(`./${signal.id}/cases/`, import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    names.map(async (name) => ({
      name,
      one: Case.parse(JSON.parse(await readFile(new URL(name, folder), 'utf8')))
    }))
  )
}

const play = async (signal: LoadedSignal, one: Case, database: MemoryDatabase) =>
  backtestEvents(caseLines(one), {
    database,
    signals: [signal],
    book,
    onBad: (bad) => assert.fail(`line ${bad.line}: ${bad.reason}`)
  })

/** Whether `actual` has every field that `expected` names, all the way down. */
const contains = (actual: unknown, expected: unknown): boolean => {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => contains(actual[index], item))
    )
  }
  if (typeof expected !== 'object' || expected === null) return actual === expected
  if (typeof actual !== 'object' || actual === null) return false
  const fields = actual as Record<string, unknown>
  return Object.entries(expected).every(([key, value]) => contains(fields[key], value))
}

/** Rows of a query as objects of texts. */
const rowsOf = async (
  database: MemoryDatabase,
  query: string
): Promise<Record<string, string | null>[]> => {
  const all: Record<string, string | null>[] = []
  for await (const { rows, columns } of database.columns(
    `SELECT COLUMNS(*)::VARCHAR FROM (${query})`
  )) {
    const names = Object.keys(columns)
    for (let row = 0; row < rows; row++) {
      const cells = names.map((name) => [name, columns[name]?.[row]?.toString() ?? null] as const)
      all.push(Object.fromEntries(cells))
    }
  }
  return all
}

/** The queries of a runbook, in code spans and blocks. */
const queriesOf = (runbook: string): string[] => [
  ...[...runbook.matchAll(/`((?:SELECT|WITH|FROM)\s[^`]*)`/g)].map((match) => match[1]!),
  ...[...runbook.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]!)
]

/** Primes, so that cuts fall anywhere, also between milliseconds with events. */
const PARTS_MS = [17_011, 83_003, 41_017]

const signals = await loadSignals()
const book = await loadBook()

for (const signal of signals) {
  const folder = new URL(`./${signal.id}/`, import.meta.url)

  describe(signal.id, () => {
    test('has a runbook with the agreed headings and no more', async () => {
      const runbook = await readFile(new URL('runbook.md', folder), 'utf8')
      const headings = [...runbook.matchAll(/^## (.+)$/gm)].map((match) => match[1])
      assert.deepEqual(headings, RUNBOOK_HEADINGS)
      for (const heading of RUNBOOK_HEADINGS) {
        const body = runbook.split(`## ${heading}`)[1]?.split('\n## ')[0] ?? ''
        assert.ok(body.trim().length > 40, `${heading} says nothing`)
      }
    })

    test('reads each grain by one statement that says what a row is', () => {
      for (const grain of GRAINS) {
        const sql = signal.sql[grain]
        if (sql === undefined) continue
        assert.match(sql, /^-- .*row/i, `${grain}.sql`)
        assert.equal(sql.trimEnd().replace(/;$/, '').includes(';'), false, `${grain}.sql`)
      }
    })

    test('plots the column that it names', async () => {
      const sql = await readFile(new URL('panel.sql', folder), 'utf8')
      assert.match(sql, /^-- .*row/i)
      assert.ok(sql.includes(`AS ${signal.plots}`))
    })

    test('fires in at least one case and stays quiet in at least one', async () => {
      const cases = await readCases(signal)
      assert.ok(
        cases.some(({ one }) => one.findings.length > 0),
        'no case fires'
      )
      assert.ok(
        cases.some(({ one }) => one.findings.length === 0),
        'no case stays quiet'
      )
    })

    if (signal.open().follow !== undefined) {
      test('finds the same wherever a minute is cut into parts', async () => {
        for (const { one } of await readCases(signal)) {
          const database = await openMemory()
          const { findings, fromMs, toMs } = await play(signal, one, database)
          const relations = { windows: 'main.windows', events: 'main.events' }
          const how = { signals: [signal], generation: 'backtest' }
          const detection = await openDetection(database, relations, how)
          const found: Finding[] = []
          for (let start = fromMs!, end; start < toMs!; start = end) {
            // Cuts drift through the minutes; every third reaches over the end of one.
            end = Math.min(toMs!, start + PARTS_MS[start % PARTS_MS.length]!)
            found.push(...(await detection.foldRange(start, end)))
          }
          database.close()
          assert.deepEqual(found, findings)
        }
      })
    }

    test('finds in each case what the case expects, with figures that its query repeats', async () => {
      let claims = 0
      for (const { name, one } of await readCases(signal)) {
        const database = await openMemory()
        const { findings } = await play(signal, one, database)
        const summaries = findings.map(({ summary }) => summary).join('\n')
        assert.equal(findings.length, one.findings.length, `${name}: ${summaries}`)
        for (const [index, expected] of one.findings.entries()) {
          assert.ok(
            contains(findings[index], expected),
            `${name}: ${JSON.stringify(findings[index])}`
          )
        }
        for (const finding of findings) {
          Finding.parse(finding)
          claims += await checkClaims((sql) => rowsOf(database, sql), finding)
        }
        database.close()
      }
      assert.ok(claims > 0, 'no figure of any finding is given by its query')
    })

    test('has a runbook whose queries run', async () => {
      const queries = queriesOf(await readFile(new URL('runbook.md', folder), 'utf8'))
      assert.ok(queries.length > 0, 'no query')
      const [first] = await readCases(signal)
      const database = await openMemory()
      await backtestEvents(caseLines(first!.one), { database, signals: [], book })
      for (const query of queries) await rowsOf(database, query)
      database.close()
    })

    test('starts again from its saved state as if it had never stopped', () => {
      const fold = signal.open()
      const again = signal.open({}, fold.save())
      assert.deepEqual(again.save(), fold.save())
    })
  })
}

test('the list of signals that is logged at start is what lies on disk', () => {
  assert.ok(describeSignals(signals).startsWith(`${signals.length} signals: `))
  for (const { id } of signals) assert.ok(describeSignals(signals).includes(id))
})

test('a folder without signal.ts is refused by name', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'signals-'))
  await mkdir(join(parent, 'half-made'))
  await writeFile(join(parent, 'half-made', 'window.sql'), 'SELECT 1')
  await assert.rejects(
    loadSignals(pathToFileURL(`${parent}/`)),
    (error) => error instanceof Failure && error.message.includes('half-made')
  )
})

test('a signal is added by one new folder', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'signals-'))
  await mkdir(join(parent, 'do-nothing'))
  const define = new URL('./define.ts', import.meta.url).href
  const code = `import { defineSignal } from '${define}'
export default defineSignal({
  title: 'Nothing', plots: 'n', settings: {},
  inputs: { window: { keys: ['tenant'], measures: ['n'] } },
  init: () => null, fold: () => [], save: () => new Uint8Array(), restore: () => null
})`
  await writeFile(join(parent, 'do-nothing', 'signal.ts'), code)
  await writeFile(join(parent, 'do-nothing', 'window.sql'), '-- A row per window.\nSELECT 1')
  const [loaded] = await loadSignals(pathToFileURL(`${parent}/`))
  assert.equal(loaded?.id, 'do-nothing')
  assert.equal(loaded?.runbook, 'services/signals/do-nothing/runbook.md')
})
