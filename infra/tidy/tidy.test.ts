import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { missingReadmes, RULES, type Fault, type SourceFile } from './rules.ts'

const root = new URL('../../', import.meta.url).pathname

/**
 * Files that were longer than the rule when it came, with their lines then: they may only shrink,
 * and a file that is short enough leaves the list.
 */
const LONG_FILES: Readonly<Record<string, number>> = {}

const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8'
})
const skip = listed.status === 0 ? false : 'not a git checkout'
const paths = (listed.stdout ?? '').split('\0').filter((path) => path !== '')

const readAll = async (): Promise<SourceFile[]> => {
  const files = await Promise.all(
    paths.map(async (path): Promise<SourceFile[]> => {
      try {
        return [{ path, text: await readFile(join(root, path), 'utf8') }]
      } catch {
        // Deleted but not committed yet.
        return []
      }
    })
  )
  return files.flat()
}

const describeFault = ({ path, line, what }: Fault): string => `${path}:${line} ${what}`
const mayStay = ({ path, what }: Fault): boolean =>
  Number.parseInt(what, 10) <= (LONG_FILES[path] ?? 0)

describe('every file of the repository must', { skip }, async () => {
  const files = await readAll()
  for (const [name, rule] of Object.entries(RULES)) {
    test(name, () => {
      const faults = files.flatMap(rule).filter((fault) => !mayStay(fault))
      assert.deepEqual(faults.map(describeFault), [])
    })
  }

  test('be looked at: there are files of every layer', () => {
    for (const layer of ['schemas/', 'services/', 'jobs/', 'infra/']) {
      assert.ok(
        paths.some((path) => path.startsWith(layer)),
        layer
      )
    }
  })

  test('have left the list of long files when it is short enough', () => {
    const rule = RULES['hold one idea']
    const long = new Set(files.flatMap((file) => rule?.(file) ?? []).map(({ path }) => path))
    assert.deepEqual(
      Object.keys(LONG_FILES).filter((path) => !long.has(path)),
      []
    )
  })
})

test('every folder of a service or job explains itself', { skip }, () => {
  assert.deepEqual(missingReadmes(paths), [])
})

describe('each rule fires on a planted fault:', () => {
  const planted: Readonly<Record<string, SourceFile>> = {
    'have names that say what is inside': { path: 'services/lake/utils/x.ts', text: '' },
    'leave no open end without an issue': { path: 'a.ts', text: '// TODO later' },
    'hold one idea': { path: 'a.ts', text: 'x\n'.repeat(301) },
    'explain a folder on one screen': { path: 'jobs/alert/README.md', text: 'x\n'.repeat(61) },
    'say why each limit is what it is': {
      path: 'a.ts',
      text: '/** Why. */\nlet a = 1\nconst B_MAX = 2'
    },
    'name no package registry': {
      path: 'a.md',
      text: `see https://${['registry', 'npmjs', 'org'].join('.')}/x`
    },
    'name no path of a machine': {
      path: 'a.ts',
      text: `readFile('${['', 'root', 'x'].join('/')}')`
    },
    'leave the environment to main.ts': { path: 'a.ts', text: 'process.env' }
  }
  const clean: SourceFile = {
    path: 'jobs/alert/job.ts',
    text: '// TODO(#12) see it\n/** Enough for all. */\nexport const B_MAX = 2\nconst LIMIT = "http://x/work/y"\n'
  }
  for (const [name, rule] of Object.entries(RULES)) {
    test(name, () => {
      const file = planted[name]
      assert.ok(file)
      assert.equal(rule(file).length, 1)
      assert.deepEqual(rule(clean), [])
    })
  }

  test('a folder without a README', () => {
    assert.deepEqual(
      missingReadmes(['jobs/a/x.ts', 'jobs/b/x.ts', 'jobs/b/README.md', 'jobs/c.ts']),
      ['jobs/a']
    )
  })
})

const Cruise = z.object({
  summary: z.object({
    totalCruised: z.number(),
    violations: z.array(
      z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })
    )
  })
})

const cruise = (cwd: string, folders: readonly string[]) => {
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const run = spawnSync(process.execPath, [bin, '--output-type', 'json', ...folders], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28
  })
  assert.ok(run.stdout.startsWith('{'), run.stderr)
  return Cruise.parse(JSON.parse(run.stdout)).summary
}

test('imports go one way, through one door each, and in no circle', () => {
  const { totalCruised, violations } = cruise(root, ['schemas', 'services', 'jobs', 'infra'])
  assert.ok(totalCruised > 100, `${totalCruised} modules looked at`)
  assert.deepEqual(
    violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    []
  )
})

test('the layer file fires on planted imports', async (t) => {
  const copy = await mkdtemp(join(tmpdir(), 'layers-'))
  t.after(() => rm(copy, { recursive: true, force: true }))
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    await cp(join(root, file), join(copy, file))
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const plants: Readonly<Record<string, string>> = {
    'schemas/up.ts': "export { x } from '../services/lake/x.ts'",
    'services/lake/x.ts': "export { x } from '../stream/x.ts'\nexport { a } from './circle.ts'",
    'services/lake/circle.ts': "export { x } from './x.ts'\nexport const a = 1",
    'services/stream/x.ts': "import 'node-cron'\nexport const x = 1",
    'services/signals/define.ts': 'export const define = 1',
    'services/signals/a/signal.ts': "import 'node:fs'\nexport { define } from '../define.ts'",
    'services/signals/b/signal.ts': "export { define } from '../a/signal.ts'",
    'services/collect/x.ts': "import 'kafkajs'\nimport '@duckdb/node-api'\nimport './gone.ts'",
    'jobs/detect/x.ts': "import '../alert/x.ts'\nimport '../alert/x.test.ts'",
    'jobs/alert/x.ts': 'export {}',
    'jobs/alert/x.test.ts': 'export {}'
  }
  for (const [path, text] of Object.entries(plants)) {
    await mkdir(dirname(join(copy, path)), { recursive: true })
    await writeFile(join(copy, path), `${text}\n`)
  }
  const { violations } = cruise(copy, ['schemas', 'services', 'jobs'])
  const fired = new Set(violations.map(({ rule }) => rule.name))
  for (const rule of [
    'one-way:schemas',
    'one-way:services/lake',
    'one-way:jobs/detect',
    'no-circular',
    'signals-are-pure',
    'alone:services/signals',
    'node-cron-only-in-jobs/schedule.ts',
    'kafkajs-only-in-services/stream/',
    '@duckdb/node-api-only-in-services/lake/',
    'no-unresolvable',
    'no-tests-in-product',
    'port:services/signals'
  ]) {
    assert.ok(fired.has(rule), `${rule} did not fire`)
  }
})
