import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { corpusFile } from './corpus.ts'
import { runTarget } from './run-target.ts'
import { loadTargets } from './target.ts'

/**
 * Fuzzes every target, or those named: `INPUTS` each, from `SEED`. What is found is kept in
 * `.tmp/fuzz/<target>.ndjson`, as lines for the same file in `corpus/`.
 */
const inputs = Number(process.env['INPUTS'] ?? 100_000)
const seed = Number(process.env['SEED'] ?? 1)
const wanted = process.argv.slice(2)
const folder = fileURLToPath(new URL('../../.tmp/fuzz/', import.meta.url))
/** Enough of a trace to see where. */
const LINES_MAX = 8
const print = (text: string): void => void process.stdout.write(`${text}\n`)

const names = [...(await loadTargets()).keys()]
const chosen =
  wanted.length === 0
    ? names
    : names.filter((name) => wanted.some((one) => name === one || name.startsWith(`${one}/`)))
if (chosen.length === 0) throw new Error(`no such target; there are ${names.join(', ')}`)

let found = 0
for (const name of chosen) {
  const startedMs = performance.now()
  const report = await runTarget({ name, inputs, seed, folder })
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const { edges, kept, findings } = report
  print(
    `${findings.length === 0 ? 'ok' : 'FOUND'} ${name}: ${report.inputs} inputs, ${edges} edges, ${kept} kept (${seconds} s)`
  )
  for (const { what, base64 } of findings) {
    const lines = what.split('\n').slice(0, LINES_MAX)
    print(lines.map((line) => `  ${line}`).join('\n'))
    const line = { found: lines[0], base64 }
    appendFileSync(`${folder}${corpusFile(name)}`, `${JSON.stringify(line)}\n`)
  }
  found += findings.length
}
print(`${chosen.length} targets, ${found} findings${found === 0 ? '' : `, see ${folder}`}`)
process.exitCode = found === 0 ? 0 : 1
