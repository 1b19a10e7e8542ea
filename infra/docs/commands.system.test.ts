import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { outputName, pageScript, readBlocks, type Block } from './page-script.ts'
import { freePort } from '../suite/free-port.ts'
import { writeTally } from '../suite/tally-command.ts'

/**
 * Runs every block of commands on the pages of the documentation as it stands, but for the port: the
 * pages say 8787, and here each page has a free one.
 */
const root = fileURLToPath(new URL('../../', import.meta.url))
const docs = path.join(root, 'docs')
/** Programs that pages use besides ours: those of the suite, then those of the machine. */
const PROGRAMS = [
  ...['.venv', '.venv-dbt'].map((venv) => path.join(root, venv, 'bin')),
  process.env['PATH'] ?? ''
].join(path.delimiter)
/** A page that hangs ends; on a busy machine a page of fifteen commands takes its time. */
const PAGE_MS_MAX = 300_000

const hasProgram = (name: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${name}`], {
    stdio: 'ignore',
    env: { ...process.env, PATH: PROGRAMS }
  }).status === 0

const whyNot = ({ skipped, needs }: Block): string | null =>
  skipped ?? (needs !== null && !hasProgram(needs) ? `needs ${needs}` : null)

const runPage = async (
  folder: string,
  script: string
): Promise<{ code: number | null; messages: string }> => {
  const child = spawn('bash', ['-c', script], {
    cwd: path.join(folder, 'page'),
    env: { ...process.env, PATH: `${path.join(folder, 'bin')}:${PROGRAMS}` },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    timeout: PAGE_MS_MAX
  })
  let messages = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text))
  const [code] = (await once(child, 'exit')) as [number | null]
  // What the page left running in its group ends with it.
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
  return { code, messages }
}

const pages = (await readdir(docs, { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .toSorted()

describe('the commands of the documentation', { concurrency: 3 }, async () => {
  for (const name of pages) {
    const blocks = readBlocks(await readFile(path.join(docs, name), 'utf8'))
    const runnable = blocks.filter((block) => whyNot(block) === null)
    for (const block of blocks) {
      const why = whyNot(block)
      if (why !== null) test(`${name}, line ${block.line}`, { skip: why }, () => {})
    }
    if (runnable.length === 0) continue
    test(`${name} does what it says`, async (t) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'tally-docs-'))
      t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
      const port = await freePort()
      await writeTally(path.join(folder, 'bin'), process.env, port)
      await mkdir(path.join(folder, 'page'))
      // Where pages speak of a checkout, it stands beside what they do.
      await symlink(root, path.join(folder, 'page', 'tallystream'))
      const script = pageScript(runnable).replaceAll('localhost:8787', `localhost:${port}`)
      const { code, messages } = await runPage(folder, script)
      assert.equal(code, 0, messages)
      for (const { line, output } of runnable) {
        const printed = await readFile(path.join(folder, 'page', outputName(line)), 'utf8')
        if (process.env['SHOW'] === 'true') process.stdout.write(`== ${name} ${line}\n${printed}\n`)
        if (output !== null)
          assert.equal(printed.trimEnd(), output.trimEnd(), `${name}, line ${line}`)
      }
    })
  }

  test('there are pages of each kind with commands', () => {
    for (const kind of ['tutorials/', 'how-to/'])
      assert.ok(
        pages.some((name) => name.startsWith(kind)),
        kind
      )
  })
})
