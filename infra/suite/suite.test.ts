import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { sideBySide } from './side-by-side.ts'
import { runSuite } from './suite.ts'
import { countOf, failures, skippedLines } from './tap.ts'
import { LONGEST } from './tiers.ts'

const root = new URL('../../', import.meta.url)
const SUMMARY = '# tests 3\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 1\n'

describe('what a test file says', () => {
  test('is counted from its summary, the last where what it ran had one too', () => {
    const inner = '# pass 9\n# fail 9\n# cancelled 9\n# skipped 9\n'
    assert.deepEqual(countOf(0, inner + SUMMARY), { passed: 2, failed: 0, skipped: 1 })
    const cancelled = SUMMARY.replace('cancelled 0', 'cancelled 3').replace('fail 0', 'fail 1')
    assert.deepEqual(countOf(1, cancelled), { passed: 2, failed: 4, skipped: 1 })
  })

  test('is a failure where it died, whatever it counted before', () => {
    assert.deepEqual(countOf(1, SUMMARY), { passed: 2, failed: 1, skipped: 1 })
    for (const code of [0, 1])
      assert.deepEqual(countOf(code, 'TAP version 13\n'), { passed: 0, failed: 1, skipped: 0 })
  })

  test('is shown for each test that failed, or as it ended', () => {
    const block = (name: string, type: string): string =>
      `not ok 1 - ${name}\n  ---\n  failureType: '${type}'\n  ...\n`
    const output = block('inner', 'testCodeFailure') + block('outer', 'subtestsFailed')
    assert.match(failures(output), /^not ok 1 - inner\n/)
    assert.doesNotMatch(failures(output), /outer/)
    assert.equal(failures('SyntaxError\n'), 'SyntaxError\n')
    assert.equal(skippedLines('  ok 2 - one # SKIP needs jq\n'), '  skipped: one (needs jq)\n')
  })
})

test('files run in the order given, so many at once, and none waits for a slower one', async () => {
  const [begun, running] = [[] as number[], { now: 0, most: 0 }]
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const work = async (item: number): Promise<number> => {
    begun.push(item)
    running.most = Math.max(running.most, ++running.now)
    // The first is the slowest: it ends when the last has begun.
    if (item === 5) open()
    await (item === 1 ? gate : Promise.resolve())
    running.now -= 1
    return item * 10
  }
  assert.deepEqual(await sideBySide([1, 2, 3, 4, 5], 2, work), [10, 20, 30, 40, 50])
  assert.deepEqual([begun, running.most], [[1, 2, 3, 4, 5], 2])
})

test('the files that are begun first are there', () => {
  assert.deepEqual(
    LONGEST.filter((file) => !existsSync(new URL(file, root))),
    []
  )
})

/** Files of tests in a checkout of their own, within this one for the sake of its packages. */
const ranWith = async (
  t: TestContext,
  tests: Readonly<Record<string, string>>,
  { tier = 'unit', ...limits }: { tier?: string; secondsMax?: number } = {}
) => {
  const scratch = fileURLToPath(new URL('.tmp/', root))
  await mkdir(scratch, { recursive: true })
  const checkout = await mkdtemp(path.join(scratch, 'suite-'))
  t.after(() => rm(checkout, { recursive: true }))
  for (const folder of ['schemas', 'services', 'jobs', 'infra'])
    await mkdir(path.join(checkout, folder))
  for (const [name, text] of Object.entries(tests))
    await writeFile(path.join(checkout, 'jobs', name), `import { test } from 'node:test'\n${text}`)
  // What the system tier begins with.
  await mkdir(path.join(checkout, 'infra/suite'))
  const script = '#!/bin/sh\nmkdir -p .tmp/packed && touch .tmp/packed/ready\n'
  await writeFile(path.join(checkout, 'infra/suite/pack.sh'), script, { mode: 0o755 })
  const printed: string[] = []
  const print = (text: string): void => void printed.push(text)
  // What tells a process that a runner of tests began it is not for the tests of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const place = { root: pathToFileURL(`${checkout}/`), env, ...limits }
  const code = await runSuite({ ...place, only: [tier], isCi: false, print })
  return { code, printed: printed.join('') }
}

const GOOD = "test('is good', () => {})"

test('a run is good when all of its files are, and only then', async (t) => {
  const good = await ranWith(t, { 'one.test.ts': GOOD, 'two.test.ts': GOOD })
  assert.equal(good.code, 0)
  assert.match(good.printed, /^ok tier unit: 2 passed, 0 failed, 0 skipped/)
  const bad = await ranWith(t, {
    'dies.test.ts': `${GOOD}\nprocess.exit(0)`,
    'fails.test.ts': "test('is bad', () => { throw new Error('so bad') })",
    'never-begins.test.ts': "import './nothing.ts'",
    'one.test.ts': GOOD
  })
  assert.equal(bad.code, 1)
  assert.match(bad.printed, /^FAILED tier unit: 1 passed, 3 failed, 0 skipped/)
  for (const said of [/not ok 1 - is bad/, /so bad/, /nothing\.ts/]) assert.match(bad.printed, said)
  assert.match(bad.printed, /\n1 passed, 3 failed\n$/)
})

test('a file that does not end has failed, and the others are run', async (t) => {
  const waits = `test('waits for ever', () => new Promise(() => setInterval(() => {}, 1000)))`
  const { code, printed } = await ranWith(
    t,
    { 'one.test.ts': waits, 'two.test.ts': GOOD },
    { secondsMax: 5 }
  )
  assert.equal(code, 1)
  assert.match(printed, /^FAILED tier unit: 1 passed, 1 failed/)
  assert.match(printed, /one\.test\.ts/)
  assert.match(printed, /not ended after 5 s/)
})

test('what is prepared for a tier is there when its files run, and they are told where', async (t) => {
  const looks = `import { readdirSync } from 'node:fs'
test('finds it', () => { if (readdirSync(process.env.TALLY_PACKED)[0] !== 'ready') throw 'not ready' })`
  const { code, printed } = await ranWith(t, { 'one.system.test.ts': looks }, { tier: 'system' })
  assert.equal(code, 0, printed)
})
