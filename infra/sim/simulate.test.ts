import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { sideBySide } from '../suite/side-by-side.ts'
import { Crew } from './crew.ts'
import { simulate, type Outcome } from './simulate.ts'
import type { Bugs } from './world.ts'

/** Seeds of one run of the suite, and the first of them; `make prove` runs 10,000. */
const SEEDS = Number(process.env['SEEDS'] ?? 1_000)
const FIRST_SEED = Number(process.env['FIRST_SEED'] ?? 1)
/** A planted bug that so many seeds do not show is not watched for. */
const SEEDS_TO_FIND = 1_000

/** Fewer seeds, as where one is replayed, say nothing about what worlds do as a rule. */
const SEEDS_TO_SPEAK = 100

type Planted = Bugs & { sign: RegExp }

const NOT_LANDED = /was acknowledged and is neither landed nor lost/
const NO_GAP = /the log lost .* and no gap says so/
const EVENT_GONE = /an event went at version/
const OTHER_FINDINGS = /findings of version/
/** Files of the log of commits that a power cut took, as whoever opens the lake says it. */
const LOG_TORN = /does not begin where it is known to|ends before version|a landed record went/
/** A version that was decided on top of another one than the log has there. */
const FORKED = /does not follow the one before it/

/**
 * Promises broken on purpose, one at a time, and the sign of each: a world that merely never ends,
 * or fails in another way, has not noticed.
 */
const PLANTED: Readonly<Record<string, Planted>> = {
  'a file is committed without fsync': {
    skipsSync: true,
    sign: /is not as it was written|was not written by this product/
  },
  'a name is committed without fsync of its folder': { skipsFolderSync: true, sign: LOG_TORN },
  'a commit replaces the one that another writer made first': {
    linkReplaces: true,
    sign: FORKED
  },
  'commits are built on names that their writers have not made durable yet': {
    trustsOthersNames: true,
    sign: FORKED
  },
  'a consumer reads on one offset too far': { forgetsOffset: true, sign: NOT_LANDED },
  'a consumer reads on under a leader that lost what it had read': {
    trustsNewLeaders: true,
    sign: NOT_LANDED
  },
  'the last row of a flush is left out of its file': { losesLastRow: true, sign: NOT_LANDED },
  'what the log lost is not said in a gap': { hidesGaps: true, sign: NO_GAP },
  'an event is acknowledged although the log did not take it': {
    acknowledgesEarly: true,
    sign: NOT_LANDED
  },
  'an hour is settled through a version that was not read': {
    settlesThroughMore: true,
    sign: EVENT_GONE
  },
  'an hour that settles again leaves its former files': {
    keepsReplacedFiles: true,
    sign: /is there once more than it was landed/
  },
  'raw files go before all of their rows are settled': { dropsOpenFiles: true, sign: EVENT_GONE },
  'an hour with a later copy of a record does not settle again': {
    forgetsOtherHours: true,
    sign: /settled is not what was landed/
  },
  'findings go out in a commit before that of their place': {
    findsBeforeItCommits: true,
    sign: OTHER_FINDINGS
  },
  'steps since the last state are forgotten': { forgetsSteps: true, sign: OTHER_FINDINGS },
  'parts of a minute that was folded before it closed are forgotten': {
    forgetsParts: true,
    sign: OTHER_FINDINGS
  },
  'a state is written that was that of an earlier step': {
    savesOldStates: true,
    sign: OTHER_FINDINGS
  },
  'a detector that slept is not fenced off': { isNotFenced: true, sign: OTHER_FINDINGS }
}

const crew = new Crew()
after(() => crew.close())

/** One that breaks a promise is played again in this thread, where its error is whole. */
const healthy = (seed: number): Promise<Outcome> =>
  crew.simulate(seed).catch(async (error: Error) => {
    await simulate(seed)
    throw error
  })

const firstNotice = async ({ sign, ...bugs }: Planted): Promise<number | null> => {
  for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
    try {
      await crew.simulate(seed, bugs)
    } catch (error) {
      if (sign.test((error as Error).message)) return seed
    }
  }
  return null
}

describe('a world of senders, consumers and mischief', { concurrency: crew.size }, () => {
  test(`keeps every promise under ${SEEDS} seeds`, async (t) => {
    const done = new Map<string, number>()
    const count = (what: string, times: number): void => {
      done.set(what, (done.get(what) ?? 0) + times)
    }
    const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index)
    for (const { commits, faultsAmid } of await sideBySide(seeds, crew.size, healthy)) {
      for (const [kind, times] of Object.entries(commits)) count(`commits of ${kind}`, times)
      count('faults amid it', faultsAmid)
    }
    const counts = [...done].map(([what, times]) => `${times} ${what}`)
    t.diagnostic(`seen: ${SEEDS} worlds, ${counts.join(', ')}`)
    if (SEEDS < SEEDS_TO_SPEAK) return
    for (const what of [
      'commits of flush',
      'commits of settle',
      'commits of detect',
      'faults amid it'
    ]) {
      const times = done.get(what) ?? 0
      assert.ok(times > SEEDS, `only ${times} ${what}: the worlds do nothing`)
    }
  })

  test('is the same again for the same seed', async () => {
    for (const seed of [7, 8, 9]) {
      const here = await simulate(seed)
      assert.deepEqual(await crew.simulate(seed), here)
      assert.deepEqual(await simulate(seed), here)
    }
  })

  for (const [name, planted] of Object.entries(PLANTED)) {
    test(`notices when ${name}`, async (t) => {
      const seed = await firstNotice(planted)
      assert.ok(seed !== null, `not noticed in ${SEEDS_TO_FIND} seeds`)
      t.diagnostic(`noticed at seed ${seed}`)
    })
  }
})
