/** What a test file says about itself, in the Test Anything Protocol. */

export type Count = { passed: number; failed: number; skipped: number }

/** Lines of context printed behind each failed test, or of one that says nothing in order. */
const FAILURE_LINES = 40

/** A figure of the summary that ends the output; null where there is none. */
const figure = (output: string, name: string): number | null => {
  const last = [...output.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))].at(-1)?.[1]
  return last === undefined ? null : Number(last)
}

/** A file that died without a summary, or that says all is well and ends with an error, has failed. */
export const countOf = (code: number, output: string): Count => {
  const passed = figure(output, 'pass')
  const failed = (figure(output, 'fail') ?? 0) + (figure(output, 'cancelled') ?? 0)
  const isBroken = failed === 0 && (code !== 0 || passed === null)
  return {
    passed: passed ?? 0,
    failed: isBroken ? 1 : failed,
    skipped: figure(output, 'skipped') ?? 0
  }
}

export const skippedLines = (output: string): string =>
  [...output.matchAll(/^ *ok \d+ - (.*) # SKIP ?(.*)$/gm)]
    .map(([, name, why]) => `  skipped: ${name} (${why})\n`)
    .join('')

/** Each innermost failed test with what it said; the end of the output where there is none. */
export const failures = (output: string): string => {
  const lines = output.trimEnd().split('\n')
  const blocks = lines.flatMap((line, index) => {
    if (!/^ *not ok /.test(line)) return []
    // The block ends with three dots: what follows is another test's.
    const end = lines.findIndex((text, at) => at > index && text.trim() === '...')
    const block = lines.slice(index, Math.min(end < 0 ? Infinity : end, index + FAILURE_LINES))
    return block.some((text) => text.includes("failureType: 'subtestsFailed'"))
      ? []
      : [...block, '']
  })
  return `${(blocks.length > 0 ? blocks : lines.slice(-FAILURE_LINES)).join('\n')}\n`
}
