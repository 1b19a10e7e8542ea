import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Programs of Prometheus, for tests. */

const here = fileURLToPath(new URL('./', import.meta.url))
/** A machine under load starts a program slowly; one that hangs still ends. */
const RUN_MS_MAX = 60_000

/** Missing tools are skipped by name; in CI they are there or the test fails. */
export const skipWithout = (tool: string, isCi: boolean): { skip: string | false } => {
  const isMissing = spawnSync(tool, ['--version']).error !== undefined
  return { skip: isMissing && !isCi ? `${tool} is not installed (infra/apt/packages.txt)` : false }
}

/** Runs a tool in this folder; fails with what it said. */
export const check = (tool: string, args: readonly string[], input?: string): string => {
  const run = spawnSync(tool, args, { cwd: here, encoding: 'utf8', input, timeout: RUN_MS_MAX })
  const said = `${run.stdout}${run.stderr}`
  assert.equal(run.status, 0, `${tool} ${args.join(' ')}\n${said}`)
  return said
}
