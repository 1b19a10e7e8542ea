import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { alertMetrics } from '../../jobs/alert/metrics.ts'
import { EMPTY_FOLD } from '../../jobs/alert/incidents/incident.ts'

const here = new URL('./', import.meta.url).pathname

/** Missing tools are skipped by name; under CI they are there or the test fails. */
const skipWithout = (tool: string): string | false =>
  spawnSync(tool, ['--version']).error !== undefined && process.env['CI'] !== 'true'
    ? `${tool} is not installed`
    : false

const check = (tool: string, args: readonly string[], input?: string): void => {
  const run = spawnSync(tool, args, { cwd: here, encoding: 'utf8', input })
  assert.equal(run.status, 0, `${tool} ${args.join(' ')}\n${run.stdout}${run.stderr}`)
}

const metrics = async (): Promise<{ text: string; names: Set<string> }> => {
  const registry = new Registry()
  alertMetrics(registry).folded(EMPTY_FOLD, new Date(0))
  const names = (await registry.getMetricsAsJSON()).map(({ name }) => name)
  return { text: await registry.metrics(), names: new Set(names) }
}

test('the rules ask only for metrics that exist', async () => {
  const rules = await readFile(`${here}rules.yaml`, 'utf8')
  const asked = new Set(rules.match(/\btally_\w+/g))
  const { names } = await metrics()
  assert.deepEqual(
    [...asked].filter((name) => !names.has(name)),
    []
  )
  assert.ok(asked.size > 0)
})

test('promtool takes the rules', { skip: skipWithout('promtool') }, () => {
  check('promtool', ['check', 'rules', 'rules.yaml'])
})

test('the rules fire when they should and not otherwise', { skip: skipWithout('promtool') }, () => {
  check('promtool', ['test', 'rules', 'rules.test.yaml'])
})

test(
  'promtool finds nothing to say about the metrics',
  { skip: skipWithout('promtool') },
  async () => {
    check('promtool', ['check', 'metrics'], (await metrics()).text)
  }
)

test('amtool takes the example', { skip: skipWithout('amtool') }, () => {
  check('amtool', ['check-config', '../alertmanager/alertmanager.yaml'])
})
