import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
import { bookWith, loadBook } from '../../services/rates/prices/book.ts'
import { parseContracts } from '../../services/rates/prices/contracts.ts'
import { callAt, openChargeTest } from './fixtures/charge-site.ts'
import { sha256 } from './manifest.ts'
import { parseMonth } from './month.ts'

/**
 * The real command, killed by the real signal. `make prove` kills it before every single write
 * and in between by the clock; the suite kills it once in the lake and once in what is handed out.
 */
const STEP = Number(process.env['CRASH_STEP'] ?? 0)
const KILLS = { lake: 20, statements: 50 }
/** More writes than a close has: where no kill comes any more, all were seen. */
const WRITES_MAX = 1_000
const OCTOBER = parseMonth('2026-10')
const CONTRACTS = `models:
  - { provider: anthropic, model: model-a, usd_per_million: { in: 3, read: 0.3, write: 3.75, out: 15 } }
`

const url = (name: string): string => new URL(name, import.meta.url).href

type Ended = { code: number | null; signal: NodeJS.Signals | null; seconds: number }

/** `tally close` on a folder, to be killed before its n-th write or after some milliseconds. */
const close = async (
  data: string,
  kill: { write?: number; afterMs?: number } = {}
): Promise<Ended> => {
  const query = new URLSearchParams({ at: String(kill.write ?? 0), below: data }).toString()
  const killer = `${url('./fixtures/kill-at-write.ts')}?${query}`
  const main = fileURLToPath(url('../../services/cli/main.ts'))
  const at = (name: string): string => path.join(data, name)
  const files = ['--data', data, '--contracts', at('contracts.yaml'), '--out', at('closed')]
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--import', killer, main, 'close', OCTOBER.name, ...files],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  const startMs = performance.now()
  const errors: string[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const closed = once(child, 'close')
  if (kill.afterMs !== undefined) {
    const isDone = await Promise.race([closed, sleep(kill.afterMs, null)])
    if (isDone === null) child.kill('SIGKILL')
  }
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null]
  assert.ok(code === 0 || signal === 'SIGKILL', errors.join(''))
  return { code, signal, seconds: (performance.now() - startMs) / 1000 }
}

/** Every file that a close hands out, by its name: its hash. */
const handedOut = async (data: string): Promise<Record<string, string>> => {
  const folder = path.join(data, 'closed', OCTOBER.name)
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(path.relative(folder, entry.parentPath), entry.name))
  const hashes = names
    .toSorted()
    .map(async (name) => [name, sha256(await readFile(path.join(folder, name), 'latin1'))])
  return Object.fromEntries((await Promise.all(hashes)) as [string, string][])
}

type Site = { copy: (name: string) => Promise<string> }

const openSite = async (t: TestContext): Promise<Site> => {
  const folder = await scratchFolder(t)
  const data = path.join(folder, 'data')
  const prices = bookWith(await loadBook(), parseContracts(CONTRACTS))
  const { settle } = await openChargeTest(t, prices, { folder: path.join(data, 'lake') })
  const tokens = { in_uncached: 411_333, in_cache_read: 20_017, out_text: 1_234 }
  await settle([
    callAt('a', '2026-10-05T10:20:00Z', { tenant: 'acme', tokens }),
    callAt('b', '2026-10-15T23:59:59Z', { tenant: 'globex', tokens, attempt: 2 })
  ])
  await writeFile(path.join(data, 'contracts.yaml'), CONTRACTS)
  const copy = async (name: string): Promise<string> => {
    const to = path.join(folder, name)
    await cp(data, to, { recursive: true })
    return to
  }
  return { copy }
}

test('a close that is killed before any write, and tried again, hands out the same bytes', async (t) => {
  const { copy } = await openSite(t)
  const calm = await copy('calm')
  await close(calm)
  const expected = await handedOut(calm)
  assert.ok(expected['manifest.json'])
  const all = Array.from({ length: WRITES_MAX }, (_, index) => index + 1)
  const writes = STEP === 0 ? Object.values(KILLS) : all.filter((write) => write % STEP === 0)
  let kills = 0
  for (const write of writes) {
    const data = await copy(`write-${write}`)
    const { signal } = await close(data, { write })
    if (signal === null) break
    kills += 1
    await close(data)
    assert.deepEqual(await handedOut(data), expected, `killed before write ${write}`)
  }
  t.diagnostic(`${kills} kills`)
  assert.ok(STEP === 0 ? kills === writes.length : kills > KILLS.statements, `${kills} kills`)
})

/** Also within what the database writes, which no count of ours sees; under `make prove`. */
const CLOCK_KILLS = Number(process.env['CLOCK_KILLS'] ?? 0)
const skip = CLOCK_KILLS === 0 && 'CLOCK_KILLS is not set'

test('a close that is killed by the clock hands out the same bytes', { skip }, async (t) => {
  const { copy } = await openSite(t)
  const calm = await copy('calm')
  const { seconds } = await close(calm)
  const expected = await handedOut(calm)
  for (let kill = 1; kill <= CLOCK_KILLS; kill += 1) {
    const data = await copy(`clock-${kill}`)
    await close(data, { afterMs: (seconds * 1000 * kill) / (CLOCK_KILLS + 1) })
    await close(data)
    assert.deepEqual(await handedOut(data), expected, `killed after ${kill}/${CLOCK_KILLS + 1}`)
  }
})
