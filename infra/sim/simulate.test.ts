import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { simulate } from './simulate.ts'
import type { Bugs } from './world.ts'

/** Seeds of one run of the suite, and the first of them; `make prove` runs 10,000. */
const SEEDS = Number(process.env['SEEDS'] ?? 1_000)
const FIRST_SEED = Number(process.env['FIRST_SEED'] ?? 1)
/** A planted bug that so many seeds do not show is not watched for. */
const SEEDS_TO_FIND = 1_000

/** Promises broken on purpose, one at a time. */
const PLANTED: Readonly<Record<string, Bugs>> = {
  'a file is committed without fsync': { skipsSync: true },
  'a name is committed without fsync of its folder': { skipsFolderSync: true },
  'a commit replaces the one that another writer made first': { linkReplaces: true },
  'a consumer reads on one offset too far': { forgetsOffset: true },
  'the last row of a flush is left out of its file': { losesLastRow: true },
  'what the log lost is not said in a gap': { hidesGaps: true },
  'an event is acknowledged although the log did not take it': { acknowledgesEarly: true },
  'an hour is settled through a version that was not read': { settlesThroughMore: true },
  'an hour that settles again leaves its former files': { keepsReplacedFiles: true },
  'raw files go before all of their rows are settled': { dropsOpenFiles: true },
  'an hour with a later copy of a record does not settle again': { forgetsOtherHours: true },
  'findings go out in a commit before that of their place': { findsBeforeItCommits: true },
  'steps since the last state are forgotten': { forgetsSteps: true },
  'a state is written that was that of an earlier step': { savesOldStates: true },
  'a detector that slept is not fenced off': { isNotFenced: true }
}

const firstFailure = async (bugs: Bugs): Promise<number | null> => {
  for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
    try {
      await simulate(seed, bugs)
    } catch {
      return seed
    }
  }
  return null
}

describe('a world of senders, consumers and mischief', () => {
  test(`keeps every promise under ${SEEDS} seeds`, async () => {
    const commits = new Map<string, number>()
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      for (const [kind, count] of Object.entries((await simulate(seed)).commits)) {
        commits.set(kind, (commits.get(kind) ?? 0) + count)
      }
    }
    for (const kind of ['flush', 'settle', 'detect']) {
      const count = commits.get(kind) ?? 0
      assert.ok(count > SEEDS, `only ${count} commits of ${kind}: the worlds do nothing`)
    }
  })

  test('is the same again for the same seed', async () => {
    for (const seed of [7, 8, 9]) assert.deepEqual(await simulate(seed), await simulate(seed))
  })

  for (const [name, bugs] of Object.entries(PLANTED)) {
    test(`notices when ${name}`, async () => {
      const seed = await firstFailure(bugs)
      assert.ok(seed !== null, `not noticed in ${SEEDS_TO_FIND} seeds`)
    })
  }
})
