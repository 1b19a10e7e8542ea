import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import type { UsageEvent } from '../../../schemas/event.ts'
import { checkEvent } from '../check-event.ts'
import { takeIn, withTenant } from '../intake.ts'
import { bytesOf, CASE_NOW_MS, messageOf, readCases, sourceFor, type Case } from './cases.ts'
import { loadSource, loadSources } from './load.ts'
import type { Message, Source } from './source.ts'

/** One suite for every source folder, over its cases. */
const HERE = new URL('./', import.meta.url)
const RULES = { nowMs: CASE_NOW_MS, tenantOnly: null, itemsMax: Infinity }

/** Events and faults of a message, judged as on the way to the log. */
const outcome = (source: Source, one: Case) => {
  const reading = source.read(messageOf(one))
  const events: unknown[] = []
  const faults = [...reading.faults]
  for (const item of reading.items) {
    const checked = checkEvent(withTenant(item.event, one.tenant ?? null), item, RULES)
    if ('event' in checked) events.push(withoutNulls(checked.event))
    else faults.push(...checked.faults)
  }
  faults.sort((a, b) => a.index - b.index)
  return { events, faults, ignored: reading.ignored }
}

const withoutNulls = (event: UsageEvent): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(event).filter(([, value]) => value !== null && value !== undefined)
  )

const KNOWN_PATHS = new Set(EVENT_FIELDS.map(({ path }) => path.split('.')[0]))

for (const source of await loadSources()) {
  describe(`source ${source.id}`, async () => {
    const cases = await readCases(source.id)

    for (const one of cases) {
      test(`${one.file}: ${one.shows}`, async () => {
        const { events, faults, ignored } = outcome(await sourceFor(source, one), one)
        assert.deepEqual(events, one.events)
        assert.deepEqual(
          faults.map(({ code, field }) => ({ code, field })),
          one.faults.map(({ code, field }) => ({ code, field: field ?? null }))
        )
        assert.equal(ignored, one.ignored)
      })
    }

    test('has a case that is taken and a case that is refused', () => {
      assert.ok(
        cases.some(({ events }) => events.length > 0),
        'no case yields an event'
      )
      assert.ok(
        cases.some(({ faults }) => faults.length > 0),
        'no case is refused'
      )
    })

    test('says what it is, and tells only fields that exist', () => {
      assert.ok(source.title.length > 0)
      assert.ok(source.about.length > 40)
      for (const path of source.tells) assert.ok(KNOWN_PATHS.has(path.split('.')[0]), path)
    })

    test('tells every field that its cases show', () => {
      const tells = new Set(source.tells.map((path) => path.split('.')[0]))
      for (const { events } of cases) {
        for (const name of events.flatMap(Object.keys)) assert.ok(tells.has(name), name)
      }
    })

    test('says what was said only where it is counted', async () => {
      if (source.counts === true) {
        for (const field of ['local', 'script']) assert.ok(source.tells.includes(field), field)
      }
      for (const one of cases) {
        const { items } = (await sourceFor(source, one)).read(messageOf(one))
        if (items.some(({ said }) => said !== undefined)) assert.equal(source.counts, true)
      }
    })

    test('reads the same message twice to the same bytes', async () => {
      for (const one of cases) {
        const told = await sourceFor(source, one)
        const [first, second] = [1, 2].map(() => takeIn(told, messageOf(one), RULES).records)
        assert.deepEqual(first, second)
      }
    })

    test('survives its messages cut anywhere and bytes changed, with a fault and never a throw', async () => {
      for (const one of cases) {
        const told = await sourceFor(source, one)
        const bytes = bytesOf(one)
        const step = Math.max(1, Math.floor(bytes.length / 60))
        for (let at = 0; at < bytes.length; at += step) {
          assertSurvives(told, { ...messageOf(one), bytes: bytes.subarray(0, at) })
          const changed = Buffer.from(bytes)
          changed[at] = (changed[at] ?? 0) ^ 0x55
          assertSurvives(told, { ...messageOf(one), bytes: changed })
        }
      }
    })
  })
}

/** A Failure refuses the message; any other error is a defect. */
const assertSurvives = (source: Source, message: Message): void => {
  try {
    takeIn(source, message, RULES)
  } catch (error) {
    assert.equal((error as Error).name, 'Failure', String((error as Error).stack))
  }
}

describe('the socket', () => {
  const folders: string[] = []
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

  test('finds a source in one new folder, without an edit elsewhere', async () => {
    const folder = await mkdtemp(join(new URL('../', HERE).pathname, '.sources-'))
    folders.push(folder)
    await cp(HERE, folder, { recursive: true })
    await mkdir(join(folder, 'idle'))
    await writeFile(
      join(folder, 'idle', 'source.ts'),
      `import { defineSource } from ${JSON.stringify(new URL('source.ts', HERE).href)}
       export default defineSource({
         title: 'Nothing', about: '', doors: [], handling: 'strict', framing: 'lines', tells: [],
         read: () => ({ items: [], faults: [], ignored: 1 })
       })`
    )
    const url = pathToFileURL(`${folder}/`)
    const found = await loadSources(url)
    const known = (await loadSources()).map(({ id }) => id)
    assert.deepEqual(
      found.map(({ id }) => id),
      [...known, 'idle'].sort()
    )
    assert.equal((await loadSource('idle', url)).title, 'Nothing')
  })

  test('refuses an unknown dialect with the known ones', async () => {
    await assert.rejects(loadSource('otpl'), { code: 'E_USAGE', hint: /native.*otlp/ })
  })
})
