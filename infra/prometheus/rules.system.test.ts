import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { check, skipWithout } from './tool.ts'

const RULE_FILES = ['rules.yaml', 'findings.rules.yaml'] as const
const isCi = process.env['CI'] === 'true'
const root = new URL('../../', import.meta.url)

const Rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string().optional() })) }))
})

test(
  'promtool takes the rules and the example of a configuration',
  skipWithout('promtool', isCi),
  () => {
    check('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...RULE_FILES])
    check('promtool', ['check', 'config', 'prometheus.yaml'])
  }
)

test('the rules fire when they should and not otherwise', skipWithout('promtool', isCi), () => {
  check('promtool', ['test', 'rules', 'rules.test.yaml'])
})

test('amtool takes the example', skipWithout('amtool', isCi), () => {
  check('amtool', ['check-config', '../alertmanager/alertmanager.yaml'])
})

test('every alert about ourselves is tried, and a page says what to do about it', async () => {
  const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8')
  const tried = await read('infra/prometheus/rules.test.yaml')
  const page = await read('docs/how-to/answer-operator-alerts.md')
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1])
  const texts = await Promise.all(RULE_FILES.map((name) => read(`infra/prometheus/${name}`)))
  const alerts = texts
    .flatMap((text) => Rules.parse(parse(text)).groups.flatMap(({ rules }) => rules))
    .flatMap(({ alert }) => alert ?? [])
  assert.deepEqual(new Set(headings), new Set(alerts))
  assert.deepEqual(
    alerts.filter((alert) => !tried.includes(`alertname: ${alert}`)),
    []
  )
})
