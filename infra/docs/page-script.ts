/** Turns the blocks of commands on a page of the documentation into a script. */

export type Block = {
  /** Line of the page on which the block begins. */
  line: number
  commands: string
  /** Why it is not run: said by a comment above it; null when it is. */
  skipped: string | null
  /** Program without which it is not run. */
  needs: string | null
  /** What it has to print, where the page shows that. */
  output: string | null
}

const FENCE =
  /^(?:<!-- (skipped: |needs )(.*?) -->\n)?```sh\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm

export const readBlocks = (page: string): Block[] =>
  [...page.matchAll(FENCE)].map((match) => {
    const [, mark, text, commands = '', output] = match
    return {
      line: page.slice(0, match.index).split('\n').length,
      commands,
      skipped: mark === 'skipped: ' ? (text ?? '') : null,
      needs: mark === 'needs ' ? (text ?? '') : null,
      output: output ?? null
    }
  })

/**
 * One script for a whole page, since later blocks build on earlier ones. Each block writes what it
 * prints to a file of its own, named by its line; the first command that fails ends the script.
 */
export const pageScript = (blocks: readonly Block[]): string =>
  [
    'set -euo pipefail',
    ...blocks.map(
      ({ line, commands }) =>
        `echo 'at the block of line ${line}' >&2\nexec >'${outputName(line)}'\n${commands}`
    )
  ].join('\n')

export const outputName = (line: number): string => `.printed-${line}`
