import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { openReceiver, type Receiver } from '../../jobs/alert/receiver.ts'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
import { freePort } from '../suite/free-port.ts'
import { BROWSER, runScript, skipWithout, until, visit } from './journey.ts'

/**
 * Somebody is paged by an Alertmanager that runs on our example of a configuration, follows the links of the
 * page in a browser, and acts in a shell. That an incident's end is told, and told once, is proved by
 * `jobs/alert/alertmanager.system.test.ts`.
 */

const ALERTMANAGER = 'prometheus-alertmanager'
const skip = skipWithout(process.env, ALERTMANAGER, 'jq', 'curl', BROWSER)
/** A dozen commands and a browser; on a busy machine they take their time. */
const TIMEOUT_MS = 900_000

type Alert = { labels: Record<string, string>; annotations: Record<string, string> }
type Told = { to: string; alerts: Alert[] }

/** On the example as it stands, but for where people are and how long a group waits for more. */
const startAlertmanager = async (t: TestContext, people: Receiver): Promise<string> => {
  const folder = await scratchFolder(t)
  const example = await readFile(
    new URL('../alertmanager/alertmanager.yaml', import.meta.url),
    'utf8'
  )
  const config = example
    .replaceAll('http://127.0.0.1:9099', people.url)
    .replace('group_wait: 30s', 'group_wait: 1s')
  assert.ok(config.includes(`${people.url}/pager`) && config.includes('group_wait: 1s'))
  await writeFile(path.join(folder, 'alertmanager.yaml'), config)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    ALERTMANAGER,
    [
      `--config.file=${path.join(folder, 'alertmanager.yaml')}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address='
    ],
    { stdio: 'ignore' }
  )
  t.after(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await until('Alertmanager is ready', () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false
    )
  )
  return url
}

test(
  'on call: the page names cause, victims and cost, its links lead to them, and a shell acts',
  { timeout: TIMEOUT_MS, skip },
  async (t) => {
    const people = await openReceiver(() => ({ status: 200 }))
    t.after(() => people.close())
    const alertmanager = await startAlertmanager(t, people)
    const env = { ...process.env, ALERTMANAGER: alertmanager, PORT: String(await freePort()) }
    const { text, read } = await runScript(t, './on-call.sh', { env })
    const fingerprint = (await text('fingerprint.txt')).trim()

    const told = (): Told[] =>
      people.received.map(({ path: to, body }) => ({
        to,
        alerts: (JSON.parse(body) as { alerts: Alert[] }).alerts
      }))
    const pages = (): Told[] =>
      told().filter(({ alerts }) =>
        alerts.some(({ labels }) => labels['fingerprint'] === fingerprint)
      )
    await until('the page comes', () => pages().length > 0)
    const [paged] = pages()
    assert.equal(paged?.to, '/pager', 'what is critical wakes somebody')
    const alert = paged?.alerts.find(({ labels }) => labels['fingerprint'] === fingerprint)
    assert.equal(alert?.labels['alertname'], 'TallyCacheThrash')
    assert.equal(alert.labels['tenant'], 'tenant-a')
    const { summary = '', axis, dashboard_url = '', runbook_url = '', ...more } = alert.annotations
    assert.match(summary, /^Cache hit rate of tenant-a fell from \d+ to \d+ % .* USD more an hour/)
    assert.equal(axis, 'prompt')
    assert.match(more['description'] ?? '', /Culprit: tenant tenant-a[\s\S]*Victims: 2/)
    // Fifteen incidents are open: nobody is sent fifteen pages for it, and info goes to nobody.
    assert.ok(told().every(({ to }) => to === '/pager' || to === '/team'))

    const { page, shoot } = await visit(t, dashboard_url)
    await page
      .locator('.lead', { hasText: 'its prompts now differ from their first block' })
      .waitFor()
    await page.getByRole('img', { name: /change at 2026-03-02 09:30Z/ }).waitFor()
    const card = (name: string): Promise<string> =>
      page.locator('.card', { has: page.getByRole('heading', { name, exact: true }) }).innerText()
    assert.match(await card('Culprit'), /tenant-a/)
    assert.match(await card('Victims'), /tenant-d/)
    assert.match(await card('Contributors'), /score/)
    const calls = page.getByRole('region', { name: 'Calls', exact: true }).getByRole('row')
    assert.ok((await calls.count()) > 10, 'calls as evidence')
    await shoot('on-call-1-incident')
    const query = page.locator('details', { hasText: 'hit_rate_pct, sum(cache_n) AS events' })
    await query.getByText('Show SQL').click()
    await query.getByRole('button', { name: 'Run' }).click()
    const rows = query.getByRole('region', { name: 'Rows of the query' }).getByRole('row')
    await rows.nth(2).waitFor()
    assert.match(await rows.nth(1).innerText(), /^false\s+7\d\./)
    assert.match(await rows.nth(2).innerText(), /^true\s+0/)
    await shoot('on-call-2-query')
    await page.goto(runbook_url)
    assert.match(await page.locator('body').innerText(), /When it lies/)
    await shoot('on-call-3-runbook')

    const shown = await read<{ cost_usd: string; evidence: { tenant: string }[] }>('shown.json')
    assert.equal(shown.evidence.length, 20)
    assert.ok(shown.evidence.every(({ tenant }) => tenant === 'tenant-a'))
    assert.ok(Number(shown.cost_usd) > 100, shown.cost_usd)
    assert.equal((await text('listed.code')).trim(), '3')
    assert.match(await text('listed.txt'), /firing {2}critical {2}cache-thrash {2}tenant-a/)
    assert.equal((await text('refused.code')).trim(), '2')
    assert.match(await text('refused.txt'), /no incident nonsense[\s\S]*Open: .*[0-9a-f]{16}/)

    const { incidents } = await read<{ incidents: { fingerprint: string; status: string }[] }>(
      'status.json'
    )
    const own = incidents.find((one) => one.fingerprint === fingerprint)
    assert.equal(own?.status, 'acknowledged')
    const held = (await (await fetch(`${alertmanager}/api/v2/alerts`)).json()) as Alert[]
    const theirs = held.find(({ labels }) => labels['fingerprint'] === fingerprint)
    assert.equal(theirs?.annotations['status'], 'acknowledged')
    assert.equal(held.length, incidents.length, 'each incident once, told twice or not')

    const review = await text('review.md')
    for (const heading of [
      'Before and after',
      'Culprit',
      'Victims',
      'Course',
      'Calls since the change'
    ])
      assert.ok(review.includes(`\n## ${heading}\n`), heading)
    assert.match(review, /cost from the change to the last look: \d+\.\d+ USD/)
  }
)
