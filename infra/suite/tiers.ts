/** The suite's tiers, in the order in which they run: cheap ones first. */
export type Tier = {
  name: string
  /** Test files end with this; the unit tier has what ends in none of the others'. */
  suffix: string
  /** Commands that must be there; otherwise the tier is skipped, and in CI that is an error. */
  needs: readonly string[]
  /** Prepares what the tier needs; run from the root. */
  prepare: readonly string[] | null
  /** What is prepared is told to the tests in these variables. */
  tells: Readonly<Record<string, string>>
  /** Files that may run side by side: each has ports and folders of its own, and measures no time. */
  concurrency: number
}

/**
 * Files that take longest, the longest first: begun last, one of them would run alone at the end while
 * the other cores have nothing to do. Other files follow by name.
 */
export const LONGEST: readonly string[] = [
  'infra/sim/simulate.test.ts',
  'jobs/detect/live.test.ts',
  'services/signals/conformance.test.ts',
  'services/serve/cube/cube.test.ts',
  'services/lake/recovery.test.ts',
  'jobs/chargeback/generated-month.test.ts',
  'jobs/chargeback/focus/focus.test.ts',
  'services/serve/fuzz.test.ts',
  'jobs/settle/identity/properties.test.ts',
  'services/cli/replay.test.ts',
  'services/cli/commands.test.ts',
  'infra/docs/commands.system.test.ts',
  'infra/faults/crash.system.test.ts',
  'services/serve/page/page.system.test.ts',
  'infra/faults/resources.system.test.ts',
  'infra/faults/summer-time.system.test.ts',
  'services/lake/lake.system.test.ts',
  'infra/faults/flipped-bits.system.test.ts',
  'services/cli/up-money.system.test.ts',
  'infra/journeys/finance.system.test.ts',
  'infra/package/package.system.test.ts',
  'services/cli/up/stop.kafka.test.ts',
  'infra/faults/kafka.kafka.test.ts',
  'infra/faults/group.kafka.test.ts',
  'infra/faults/storm.kafka.test.ts',
  'infra/faults/large-batch.kafka.test.ts',
  'infra/faults/network.kafka.test.ts'
]

/** Two cores are kept busy by three files that now and then wait for disks, brokers and sessions. */
const WAITING_AT_ONCE = 3

export const TIERS: readonly Tier[] = [
  { name: 'unit', suffix: '.test.ts', needs: [], prepare: null, tells: {}, concurrency: 2 },
  {
    name: 'python',
    suffix: '.python.test.ts',
    needs: ['python3'],
    prepare: ['infra/python/setup.sh'],
    tells: {},
    concurrency: 2
  },
  {
    name: 'system',
    suffix: '.system.test.ts',
    needs: [],
    prepare: ['infra/suite/pack.sh'],
    tells: { TALLY_PACKED: '.tmp/packed' },
    concurrency: WAITING_AT_ONCE
  },
  {
    name: 'kafka',
    suffix: '.kafka.test.ts',
    needs: ['java', 'mvn'],
    prepare: ['infra/kafka/fetch.sh'],
    tells: {},
    concurrency: WAITING_AT_ONCE
  }
]

/** Checks of the sources: scripts of package.json. */
export const CHECKS = ['types', 'lint', 'layers', 'unused'] as const
