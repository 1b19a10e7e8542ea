/** The suite's tiers, in the order in which they run: cheap ones first. */
export type Tier = {
  name: string
  /** Test files end with this; the unit tier has what ends in none of the others'. */
  suffix: string
  /** Commands that must be there; otherwise the tier is skipped, and in CI that is an error. */
  needs: readonly string[]
  /** Prepares what the tier needs; run from the root. */
  prepare: readonly string[] | null
  /** Files that may run side by side. */
  concurrency: number
}

export const TIERS: readonly Tier[] = [
  { name: 'unit', suffix: '.test.ts', needs: [], prepare: null, concurrency: 2 },
  {
    name: 'python',
    suffix: '.python.test.ts',
    needs: ['python3'],
    prepare: ['infra/python/setup.sh'],
    concurrency: 2
  },
  { name: 'system', suffix: '.system.test.ts', needs: [], prepare: null, concurrency: 1 },
  {
    name: 'kafka',
    suffix: '.kafka.test.ts',
    needs: ['java', 'mvn'],
    prepare: ['infra/kafka/fetch.sh'],
    concurrency: 2
  }
]

/** Checks of the sources: scripts of package.json. */
export const CHECKS = ['types', 'lint', 'layers', 'unused'] as const
