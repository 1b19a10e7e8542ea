import { openSync, writeSync, ftruncateSync } from 'node:fs'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createRandom } from '../../worlds/random.ts'
import { Coverage } from '../coverage.ts'
import { readCorpus } from '../corpus.ts'
import { fuzz } from '../fuzz.ts'

/**
 * One target in a process of its own: `main.ts NAME INPUTS SEED FILE`. The input under way lies in
 * FILE, for when it ends or stops the process; IPC tells that it goes on, and what came of it.
 */
const [name = '', inputs = '', seed = '', file = ''] = process.argv.slice(2)

const root = new URL('../../../', import.meta.url)
const folders = ['schemas/', 'services/', 'jobs/', 'node_modules/snappyjs/']

const coverage = new Coverage()
coverage.install()
register('../instrument-hook.ts', import.meta.url, {
  data: folders.map((folder) => fileURLToPath(new URL(folder, root)))
})

// Only now: what is loaded from here on is instrumented.
const { loadTargets } = await import('../target.ts')
const target = (await loadTargets(name)).get(name)
if (target === undefined) throw new Error(`no target is called ${name}`)

const held = openSync(file, 'w')
let told = 0
const note = (input: Buffer): void => {
  ftruncateSync(held, input.length)
  writeSync(held, input, 0, input.length, 0)
  if (performance.now() - told < 500) return
  told = performance.now()
  process.send?.({ alive: true })
}

const known = await readCorpus(name)
const seeds = [
  ...(await target.seeds()).map((one) => Buffer.from(one)),
  ...known.map((one) => one.input)
]
const random = createRandom(Number(seed))
const report = await fuzz({ target, seeds, inputs: Number(inputs), random, coverage, note })
const findings = report.findings.map(({ what, input }) => ({
  what,
  base64: input.toString('base64')
}))
process.send?.({ report: { ...report, findings } }, () => process.exit(0))
