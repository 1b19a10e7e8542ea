import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'

/** What is published: packed, installed into an empty folder, run without the repository. */

const run = promisify(execFile)
const root = path.join(import.meta.dirname, '../..')
/** Packing compiles, installing may fetch; the whole suite may run beside it. */
const WAIT_MS_MAX = 600_000
/** Kinds of finding that whoever tries the demo can look at. */
const KINDS_MIN = 6

const Findings = z.object({ findings: z.array(z.object({ signal: z.string() })) })

/** A folder with the package: the suite's, where it made one, which was packed in the same way. */
const pack = async (folder: string): Promise<string> => {
  const packed = process.env['TALLY_PACKED']
  if (packed !== undefined) return path.join(root, packed)
  await run('npm', ['pack', '--pack-destination', folder], {
    cwd: root,
    timeout: WAIT_MS_MAX,
    maxBuffer: 1 << 24
  })
  return folder
}

describe('the package', () => {
  let folder = ''
  let child: ChildProcess | null = null
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tally-package-'))
    const packed = await pack(folder)
    const [tarball = ''] = (await readdir(packed)).filter((name) => name.endsWith('.tgz'))
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }')
    await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--prefer-offline', path.join(packed, tarball)],
      {
        cwd: folder,
        timeout: WAIT_MS_MAX
      }
    )
  })
  after(async () => {
    if (child?.exitCode === null) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  test('holds the page, the data and the licences, and no tests or benchmarks', async () => {
    const own = path.join(folder, 'node_modules/tallystream')
    const files = (await readdir(own, { recursive: true })).map((name) =>
      name.replaceAll('\\', '/')
    )
    for (const name of [
      'LICENSE',
      'README.md',
      'dist/services/serve/page/built/index.html',
      'dist/services/cli/demo/shifted.jsonl.gz',
      'dist/services/cli/demo/NOTICE.md'
    ]) {
      assert.ok(files.includes(name), name)
    }
    assert.deepEqual(
      files.filter((name) => /[.]test[.]|[.]ts$|^dist\/infra/.test(name)),
      []
    )
  })

  test('shows a page with six kinds of finding in its data', async (t) => {
    const startedMs = performance.now()
    const tally = path.join(folder, 'node_modules/.bin/tally')
    child = spawn(tally, ['demo', '--data', path.join(folder, 'demo')], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const url = await address(child)
    t.diagnostic(`the page was there after ${Math.round(performance.now() - startedMs)} ms`)
    const page = await fetch(url)
    assert.equal(page.status, 200)
    assert.match(await page.text(), /<script/)
    const answer = await fetch(new URL('/v1/findings', url))
    const { findings } = Findings.parse(await answer.json())
    const kinds = new Set(findings.map(({ signal }) => signal))
    assert.ok(kinds.size >= KINDS_MIN, [...kinds].join(', '))
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
  })
})

/** The address that the demo prints, once the page is served. */
const address = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      const [, url] = /The page is at (\S+)/.exec(text) ?? []
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code}: ${text}`)))
  })
