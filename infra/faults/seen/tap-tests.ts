/** One test, or one suite that was skipped as a whole, as the Test Anything Protocol tells it. */
export type TestRun = {
  /** Names of its suites and its own, with spaces between. */
  title: string
  outcome: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped. */
  why: string
  isSuite: boolean
  seconds: number
  /** What it said by `t.diagnostic('seen: …')`. */
  said: string[]
}

/** A name that begins, or a result with its block of details and the notes behind it. */
const LINE = new RegExp(
  String.raw`^(?<indent> *)(?:# Subtest: (?<begun>.*)` +
    String.raw`|(?<failed>not )?ok \d+ - .*?(?: # SKIP ?(?<skip>.*))?` +
    String.raw`\n\k<indent> {2}---\n(?<details>[\s\S]*?)\n\k<indent> {2}\.\.\.` +
    String.raw`(?<notes>(?:\n\k<indent># (?!Subtest: ).*)*))$`,
  'gm'
)
/** Spaces for each suite around a test. */
const INDENT = 4

/** Every test that ended; of suites, only those that were skipped, whose tests are not told. */
export const testsOf = (output: string): TestRun[] => {
  const names: string[] = []
  const runs: TestRun[] = []
  for (const { groups = {} } of output.matchAll(LINE)) {
    const depth = (groups['indent']?.length ?? 0) / INDENT
    const { begun } = groups
    if (begun !== undefined) {
      names.splice(depth, Infinity, plain(begun))
      continue
    }
    const run = runOf(names.slice(0, depth + 1).join(' '), groups)
    if (!run.isSuite || run.outcome === 'skipped') runs.push(run)
  }
  return runs
}

const runOf = (title: string, groups: Record<string, string | undefined>): TestRun => {
  const { failed, skip, details = '', notes = '' } = groups
  const ended = failed === undefined ? 'passed' : 'failed'
  return {
    title,
    outcome: skip === undefined ? ended : 'skipped',
    why: plain(skip ?? ''),
    isSuite: details.includes("type: 'suite'"),
    seconds: Number(/duration_ms: ([\d.]+)/.exec(details)?.[1] ?? 0) / 1000,
    said: [...notes.matchAll(/# seen: (.*)$/gm)].map(([, said = '']) => plain(said))
  }
}

const plain = (text: string): string => text.replaceAll(/\\([\\#])/g, '$1')
