import assert from 'node:assert/strict'
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { after, before, describe, test, type TestContext } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import {
  consuming,
  landedStage,
  records,
  untilLanded,
  type Stage
} from '../../services/cli/fixtures/landed-stage.ts'
import { mendLake } from '../../services/cli/mend-lake.ts'
import { settleAll } from '../../services/cli/pipeline.ts'
import { lakeFolder, openLakeSite } from '../../services/cli/site.ts'
import { NOTHING } from '../../services/lake/commit.ts'
import { UNFINISHED, type Files } from '../../services/lake/files.ts'
import { localFiles } from '../../services/lake/local-files.ts'
import { readEntry } from '../../services/lake/ranges-log.ts'
import { scrub } from '../../services/lake/scrub.ts'
import { createRandom, type Random } from '../worlds/random.ts'

/** Flipped in all; `make prove` flips ten thousand. */
const BITS = Number(process.env['BITS'] ?? 120)
const SEED = Number(process.env['SEED'] ?? 1)
/** Files damaged at a time: each is one to find, and none may hide another. */
const FILES_PER_ROUND = 40
const SMALL_FLUSHES = 5
/** So many that there are checkpoints and saved heads. */
const BARE_COMMITS = 100
const A_DAY_LATER_MS = Date.parse('2026-03-02T12:00:00Z')

/** Landed by the log's cuts, half of its hours settled, with checkpoints and saved heads. */
const grownLake = async (t: Pick<TestContext, 'after'>): Promise<Stage> => {
  const stage = await landedStage(t)
  await settleNow(stage)
  await consuming(stage, { flushMsMax: 1 }, async (consumer) => {
    for (let piece = 0; piece < SMALL_FLUSHES; piece++) {
      await stage.log.append(EVENTS_TOPIC, records(9000 + piece * 20, 20))
      await untilLanded(stage, consumer)
    }
  })
  await commitBare(stage)
  return stage
}

const commitBare = async (stage: Stage): Promise<void> => {
  const site = await openLakeSite(stage)
  for (let commit = 0; commit < BARE_COMMITS; commit++) await site.lake.commit(() => NOTHING)
  site.close()
}

const settleNow = async ({ data, log }: Stage): Promise<void> => {
  const site = await openLakeSite({ data })
  await settleAll(site, log, { nowMs: A_DAY_LATER_MS })
  site.close()
}

const LOG_FILE = /_delta_log\/(\d{20}\.json|\d{20}\.checkpoint\.parquet|_last_checkpoint)$|_heads\//

/** Every file that the lake lives on now: live data, and its logs with their copies. */
const filesAtRest = async (files: Files, live: ReadonlySet<string>): Promise<string[]> =>
  (await files.list('')).filter(
    (path) => !path.endsWith(UNFINISHED) && (live.has(path) || LOG_FILE.test(path))
  )

const flip = (bytes: Uint8Array, random: Random, bits: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  const chosen = new Set<number>()
  while (chosen.size < bits) chosen.add(random.integer(0, bytes.length * 8))
  for (const bit of chosen) copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

const pick = (paths: readonly string[], random: Random, count: number): string[] => {
  const left = [...paths]
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(random.integer(0, left.length), 1)
  ).flat()
}

describe('bits that flip at rest', () => {
  let stage: Stage
  let files: Files
  let paths: string[] = []
  let landed = new Set<string>()
  const whole = new Map<string, Buffer>()
  const cleanUp: (() => unknown)[] = []
  before(async () => {
    stage = await grownLake({ after: (work) => void cleanUp.push(work as () => unknown) })
    files = localFiles(lakeFolder(stage))
    const site = await openLakeSite(stage)
    const live = [...(await site.lake.head()).files].flatMap(([table, byPath]) =>
      [...byPath.values()].map((file) => ({ ...file, key: `${table}/${file.path}` }))
    )
    const flushes = await flushVersions(files)
    site.close()
    landed = new Set(live.filter(({ version }) => flushes.has(version)).map(({ key }) => key))
    paths = await filesAtRest(files, new Set(live.map(({ key }) => key)))
    for (const path of paths) whole.set(path, await readFile(files.location(path)))
  })
  after(async () => {
    for (const work of cleanUp.reverse()) await work()
  })

  const assertWhole = async (): Promise<void> => {
    for (const [path, bytes] of whole) {
      assert.ok(bytes.equals(await readFile(files.location(path))), `${path} is as it was`)
    }
  }

  test('the lake has files of every kind, and nothing is found while they are whole', async () => {
    for (const kind of [/events_settled\/.*parquet/, /_delta_log\/.*json/, /checkpoint\.parquet/])
      assert.ok(
        paths.some((path) => kind.test(path)),
        String(kind)
      )
    assert.ok(paths.some((path) => path.includes('_heads/')))
    assert.ok(landed.size > SMALL_FLUSHES)
    const report = await scrub(files)
    assert.deepEqual([report.damages, report.unsealed], [[], 0])
    assert.equal(report.files + report.logFiles, paths.length)
  })

  test(`${BITS} of them are found, each in its file, and mended byte for byte`, async (t) => {
    const random = createRandom(SEED)
    const seen = { bits: 0, mended: 0 }
    while (seen.bits < BITS) {
      const victims = pick(paths, random, Math.min(FILES_PER_ROUND, BITS - seen.bits))
      for (const path of victims) {
        await writeFile(files.location(path), flip(whole.get(path)!, random, 1))
      }
      await assertFound(files, victims)
      const { mended, after: left } = await mendLake(stage)
      assert.deepEqual(left.damages, [])
      seen.bits += victims.length
      seen.mended += mended.length
      await assertWhole()
    }
    assert.equal(seen.mended, seen.bits)
    t.diagnostic(`seen: ${seen.bits} bits flipped in ${paths.length} files, ${seen.mended} mended`)
  })

  test('what is missing, cut or full of junk is landed again from the ranges that are told', async () => {
    const random = createRandom(SEED + 1)
    const victims = pick([...landed], random, 6)
    for (const [index, path] of victims.entries()) {
      const location = files.location(path)
      if (index % 3 === 0) await rm(location)
      if (index % 3 === 1) await truncate(location, 100)
      if (index % 3 === 2) await writeFile(location, flip(whole.get(path)!, random, 50))
    }
    const { damages } = await scrub(files)
    assert.ok(damages.every(({ ranges }) => ranges !== null && ranges.length > 0))
    const { mended } = await mendLake(stage)
    assert.deepEqual(
      mended.map(({ table, path, by }) => `${by} ${table}/${path}`).sort(),
      victims.map((path) => `replay ${path}`).sort()
    )
    await assertWhole()
  })
})

/** A damaged log hides the data behind it, so that may be told in two goes. */
const assertFound = async (files: Files, victims: readonly string[]): Promise<void> => {
  const { version, damages } = await scrub(files)
  const found = damages.map(({ table, path }) => `${table}/${path}`).sort()
  const expected = version === null ? victims.filter((path) => LOG_FILE.test(path)) : victims
  assert.deepEqual(found, [...expected].sort())
}

const flushVersions = async (files: Files): Promise<Set<number>> => {
  const versions = new Set<number>()
  for (let version = 0; ; version++) {
    const entry = await readEntry(files, version)
    if (entry === null) return versions
    if (entry.commit.kind === 'flush') versions.add(version)
  }
}
