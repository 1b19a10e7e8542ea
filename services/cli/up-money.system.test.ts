import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { openReceiver, type Receiver } from '../../jobs/alert/receiver.ts'
import { STEP_MS } from '../../jobs/chargeback/budgets/watch.ts'
import { killAll, post, ready, run, startUp, until } from './up/child.ts'

/** What `tally up` does about money by the clock: alerts of budgets, and booking. */

const DAY_MS = 86_400_000

let folder = ''
let receiver: Receiver
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tally-up-money-'))
  receiver = await openReceiver(() => ({ status: 200 }))
  const secret = path.join(folder, 'secret')
  await writeFile(secret, `whsec_${Buffer.from('a secret of twenty-four b').toString('base64')}`)
  const entry = { name: 'hook', kind: 'webhook', url: receiver.url, secret_file: secret }
  await writeFile(path.join(folder, 'alerts.yaml'), JSON.stringify({ channels: [entry] }))
  await writeFile(
    path.join(folder, 'contracts.yaml'),
    'contracts: [{ id: half, provider: openai, discount_pct: 50 }]'
  )
  await writeFile(
    path.join(folder, 'tally.yaml'),
    JSON.stringify({
      alert_config: path.join(folder, 'alerts.yaml'),
      contracts: path.join(folder, 'contracts.yaml'),
      budgets_usd: { acme: '10' }
    })
  )
})
after(async () => {
  killAll()
  await receiver.close()
  await rm(folder, { recursive: true })
})

/** gpt-4o costs $2.50 a million input tokens. */
const call = (id: string, timeMs: number, tenant: string, millions: number) => ({
  id,
  tenant,
  time: new Date(timeMs).toISOString(),
  kind: 'llm',
  provider: 'openai',
  response_model: 'gpt-4o-2024-08-06',
  tokens: { in_uncached: millions * 1_000_000, out_text: 0 }
})

type Told = { type: string; data: { finding: { fingerprint: string; summary: string } } }

/** By the id that a repeat after a kill has again. */
const told = (): string[] => [
  ...new Map(
    receiver.taken().map(({ headers, body }) => {
      const { type, data } = JSON.parse(body) as Told
      return [String(headers['webhook-id']), `${type} ${data.finding.summary}`]
    })
  ).values()
]

test('a budget is told of once over a kill, and a settled day is booked at negotiated prices', async () => {
  const config = ['--config', path.join(folder, 'tally.yaml')]
  const first = await startUp(folder, ...config)
  await ready(first)
  const boundaryMs = Math.floor((Date.now() - 60_000) / STEP_MS) * STEP_MS
  await post(first, [
    call('now', boundaryMs - 1_000, 'acme', 3.3),
    call('old', Date.now() - 2 * DAY_MS, 'globex', 8)
  ])
  await until('the alert', async () => (told().length > 0 ? true : null))
  first.child.kill('SIGKILL')
  await first.ended
  const second = await startUp(folder, ...config)
  await ready(second)
  // Who takes the lease over settles at once, and settling pokes the booking; on a slow machine the
  // first has come as far before it was killed.
  const isBooked = (): boolean =>
    [first, second].some(({ messages }) => messages().includes('"booked"'))
  await until('the booking', async () => (isBooked() ? true : null))
  await until('a look of the next process', async () => {
    const page = await (await fetch(`${second.url}/metrics`)).text()
    return page.includes('task="budgets"') ? true : null
  })
  second.child.kill('SIGTERM')
  assert.deepEqual(await second.ended, { code: 0, signal: null }, second.messages())
  const month = new Date(boundaryMs - 1_000).toISOString().slice(0, 7)
  assert.deepEqual(told(), [
    `incident.opened Budget acme of ${month}: $8.25 of $10.00 is spent, 82.5 % (told at 80 %).`
  ])
  const sql =
    "SELECT tenant, sum(billed_pico)::DOUBLE / 1e12 AS usd FROM charges WHERE tenant = 'globex' GROUP BY ALL"
  const { out, code, err } = await run('sql', sql, '--data', folder, '--json')
  assert.equal(code, 0, err)
  assert.deepEqual(JSON.parse(out), { tenant: 'globex', usd: 10 })
})
