import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import {
  eventAt,
  killAll,
  post,
  ready,
  startUp,
  until,
  type Up
} from '../../services/cli/up/child.ts'
import { operationQueries } from '../grafana/operation-dashboard.ts'
import { check, skipWithout } from './tool.ts'
import { freePort } from '../suite/free-port.ts'

const isCi = process.env['CI'] === 'true'
const RULE_FILES = ['rules.yaml', 'findings.rules.yaml'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url))
)

/** What Prometheus' API answers, as far as it is asked here. */
const Vector = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()])
      })
    )
  })
})
const RuleGroups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })
        )
      })
    )
  })
})

/** A Prometheus that scrapes `target` every second, with our rules. */
const startPrometheus = async (
  folder: string,
  target: string
): Promise<{ url: string; stop: () => Promise<void> }> => {
  const config = path.join(folder, 'prometheus.yml')
  const url = `127.0.0.1:${await freePort()}`
  await writeFile(
    config,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: RULE_FILES,
      scrape_configs: [{ job_name: 'tallystream', static_configs: [{ targets: [target] }] }]
    })
  )
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}/tsdb`,
      `--web.listen-address=${url}`
    ],
    { stdio: 'ignore' }
  )
  const ended = once(child, 'close')
  return {
    url: `http://${url}`,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    }
  }
}

describe('a running tally up', () => {
  let folder = ''
  let up: Up
  let page = ''
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tally-scrape-'))
    up = await startUp(path.join(folder, 'data'))
    await ready(up)
    await post(up, [eventAt('one'), eventAt('two'), eventAt('three')])
    page = await until('a flush and the first look of the jobs', async () => {
      const text = await (await fetch(`${up.url}/metrics`)).text()
      const isThere = /flushed_partitions_total\{result="landed"\} [1-9]/.test(text)
      return isThere && /last_success_timestamp_seconds\{task="alert"\}/.test(text) ? text : null
    })
  })
  after(async () => {
    killAll()
    await rm(folder, { recursive: true, force: true })
  })

  test('exports every metric that the rules ask for', async () => {
    const exported = new Set([...page.matchAll(/^# TYPE (\w+) /gm)].map((match) => match[1]))
    const rules = (await Promise.all(RULE_FILES.map((file) => readFile(file, 'utf8')))).join('\n')
    const asked = rules.replaceAll(/^ *#.*$/gm, '').match(/\btally_\w+/g) ?? []
    assert.ok(asked.length > 10)
    assert.deepEqual(
      asked.filter((name) => !exported.has(name.replace(/_bucket$/, ''))),
      []
    )
  })

  test('says nothing that promtool objects to', skipWithout('promtool', isCi), () => {
    check('promtool', ['check', 'metrics'], page)
  })

  test('names no tenant: series do not grow with customers', () => {
    assert.doesNotMatch(page, /tenant="|acme/)
  })

  test(
    'is scraped by Prometheus, and every rule can be evaluated',
    skipWithout('prometheus', isCi),
    async () => {
      const prometheus = await startPrometheus(folder, new URL(up.url).host)
      const ask = async (query: string): Promise<string | null> => {
        const answer = await fetch(
          `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`
        ).catch(() => null)
        if (answer?.ok !== true) return null
        return Vector.parse(await answer.json()).data.result[0]?.value[1] ?? null
      }
      try {
        const accepted = 'tally_events_total{job="tallystream", result="accepted"}'
        assert.equal(await until('a scrape', () => ask(accepted)), '3')
        // Its own label, not one that Prometheus renames because it has one of that name.
        await until('the newest success of the alert job', () =>
          ask('tally:last_success_timestamp_seconds:max{task="alert"} > 0')
        )
        const rules = await until('every rule to be evaluated', async () => {
          const body: unknown = await (await fetch(`${prometheus.url}/api/v1/rules`)).json()
          const all = RuleGroups.parse(body).data.groups.flatMap((group) => group.rules)
          return all.every(({ health }) => health !== 'unknown') ? all : null
        })
        assert.deepEqual(
          rules.filter(({ health }) => health !== 'ok'),
          []
        )
        assert.ok(rules.some(({ name }) => name === 'TallyAlertJobMissing'))
        for (const query of operationQueries()) {
          const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`
          assert.equal((await fetch(url)).status, 200, `a panel of Grafana asks for ${query}`)
        }
      } finally {
        await prometheus.stop()
      }
    }
  )
})
