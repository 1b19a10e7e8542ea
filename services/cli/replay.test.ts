import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { landedStage } from './fixtures/landed-stage.ts'
import { runCli } from './shell.ts'
import { lakeFolder, openLakeSite } from './site.ts'

const TABLES = ['events_raw', 'windows_raw', 'prefixes_raw', 'quarantine'] as const

type File = { table: string; version: number; path: string; sha256: string }

/** The live raw files of a lake with the hash of what lies on the disk, in order of version. */
const filesOf = async (data: string): Promise<File[]> => {
  const site = await openLakeSite({ data })
  const head = await site.lake.head()
  const files = TABLES.flatMap((table) => [...(head.files.get(table)?.values() ?? [])])
  const hashed = await Promise.all(
    files.map(async ({ table, version, path: file }) => {
      const full = path.join(lakeFolder({ data }), table, file)
      const sha256 = createHash('sha256')
        .update(await readFile(full))
        .digest('hex')
      return { table, version, path: full, sha256 }
    })
  )
  site.close()
  return hashed.sort((a, b) => a.version - b.version || a.table.localeCompare(b.table))
}

const tally = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const stdin = new PassThrough()
  const code = await runCli(args, { stdin, stdout, stderr, now: () => new Date(), env: {} })
  const text = (stream: PassThrough): string => String(stream.read() ?? '')
  return { code, out: text(stdout), err: text(stderr) }
}

describe('tally replay', () => {
  test('lands a log again as the same bytes, with the cuts of the first landing', async (t) => {
    const { data, log } = await landedStage(t)
    const anew = path.join(data, 'anew')
    const result = await tally('replay', '--from', data, '--data', anew, '--json')
    assert.equal(result.code, 0, result.err + result.out)

    const before = await filesOf(data)
    const after = await filesOf(anew)
    const shown = ({ table, sha256 }: File): string => `${table} ${sha256}`
    assert.deepEqual(after.map(shown), before.map(shown))
    const flushes = before.filter(({ table }) => table === 'events_raw').length
    assert.ok(flushes >= 8, `${flushes} flushes are too few to show anything`)
    const quarantined = before.filter(({ table }) => table === 'quarantine').length
    assert.ok(quarantined >= 5, `${quarantined} files of quarantined records`)
    const report = JSON.parse(result.out) as Record<string, unknown>
    assert.equal(report['identical_files'], before.length)
    assert.deepEqual(report['differences'], [])

    await t.test('refuses a lake that holds rows', async () => {
      const again = await tally('replay', '--from', data, '--data', anew)
      assert.equal(again.code, 2)
      assert.match(again.err, /E_USAGE/)
    })

    await t.test('scrub says which ranges to read again after a file was damaged', async () => {
      assert.equal((await tally('scrub', '--data', anew)).code, 0)
      const victim = after.find(({ table }) => table === 'events_raw')
      const bytes = await readFile(victim!.path)
      bytes[bytes.length >> 1]! ^= 1
      await writeFile(victim!.path, bytes)
      const scrubbed = await tally('scrub', '--data', anew, '--json')
      assert.equal(scrubbed.code, 1)
      const { damages } = JSON.parse(scrubbed.out) as { damages: Record<string, unknown>[] }
      assert.deepEqual(
        damages.map(({ table, problem, kind }) => [table, problem, kind]),
        [['events_raw', 'content', 'flush']]
      )
      assert.notDeepEqual(damages[0]?.['ranges'], [])
    })

    await t.test(
      'scrub --mend lands it again, and fails where the log itself is lost',
      async () => {
        const mending = await tally('scrub', '--data', anew, '--mend')
        assert.deepEqual([mending.code, mending.err], [0, ''])
        assert.match(mending.out, /✓ events_raw\/.*: one bit was set right/)
        const head = path.join(
          lakeFolder({ data: anew }),
          'ranges/_delta_log/00000000000000000001.json'
        )
        await writeFile(head, 'of another lake')
        const hopeless = await tally('scrub', '--data', anew, '--mend')
        assert.equal(hopeless.code, 1)
        assert.equal(hopeless.err, '')
        assert.match(hopeless.out, /log unreadable[^]*00000000000000000001\.json has other bytes/)
      }
    )

    await t.test('says so when the log no longer holds what was landed', async () => {
      await log.deleteBefore(EVENTS_TOPIC, 1, 100)
      const late = await tally('replay', '--from', data, '--data', path.join(data, 'late'))
      assert.equal(late.code, 1)
      assert.match(late.err, /E_LOG_GAP/)
    })
  })
})
