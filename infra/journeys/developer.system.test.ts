import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { freePort } from '../suite/free-port.ts'
import { BROWSER, runScript, skipWithout, until, visit, type Journey } from './journey.ts'

const skip = skipWithout(process.env, 'curl', BROWSER)
/** A server, a browser and a dozen requests; on a busy machine they take their time. */
const TIMEOUT_MS = 600_000

type Event = { id: string; tenant: string; cost_pico: number }

test(
  'a developer sends the first event with curl, and the page shows it when it comes',
  { timeout: TIMEOUT_MS, skip },
  async (t) => {
    const port = await freePort()
    /** With a key of the tenant, as the page asks for one. */
    const watch = async ({ folder, text }: Journey): Promise<void> => {
      await until('the server is ready', () => existsSync(path.join(folder, 'ready.txt')))
      await until('it answers', async () => (await text('ready.txt')) !== '')
      const { page, shoot } = await visit(t, `http://localhost:${port}/`)
      await page.getByLabel('API key').fill((await text('read.key')).trim())
      await page.getByRole('button', { name: 'Use this key' }).click()
      await page.getByRole('heading', { name: 'No data yet' }).waitFor()
      const shown = await page.locator('pre').first().innerText()
      assert.match(shown, /^curl -sS http:\/\/localhost:\d+\/v1\/events .*Bearer \$KEY/s)
      await shoot('developer-1-no-data')
      await writeFile(path.join(folder, 'go'), '')
      await page.getByRole('heading', { name: 'Your newest call has arrived' }).waitFor()
      await page.getByText(/globex, gpt-4o-2024-08-06.*1,120 tokens, \$0\.0037/).waitFor()
      const unlocks = page.getByRole('region', { name: 'Fields that would tell more' })
      assert.match(await unlocks.innerText(), /prefix|trace_id/)
      await shoot('developer-2-first-event')
    }
    const env = { ...process.env, PORT: String(port) }
    const { text, read } = await runScript(t, './developer.sh', { env, beside: watch })

    const answers = {
      sent: ['200', /"accepted":1/],
      again: ['200', /"accepted":1/],
      cloud: ['200', /"accepted":1/],
      misspelt: ['422', /did you mean provider\?.*"field":"providr"/],
      other: ['403', /E_FORBIDDEN.*"field":"tenant"/],
      nobody: ['401', /E_UNAUTHENTICATED.*"hint"/],
      unread: ['403', /E_FORBIDDEN/]
    } as const
    for (const [name, [status, body]] of Object.entries(answers)) {
      assert.equal(await text(`${name}.status`), status, name)
      assert.match(await text(`${name}.json`), body, name)
    }
    const { events } = await read<{ events: Event[] }>('events.json')
    assert.deepEqual([...new Set(events.map(({ id }) => id))].toSorted(), ['first', 'second'])
    assert.ok(
      events.every(({ tenant, cost_pico }) => tenant === 'globex' && cost_pico === 3_700_000_000)
    )
    const { totals } = await read<{ totals: { calls: number; provisional_calls: number } }>(
      'overview.json'
    )
    // Until its hour is settled, what was sent twice may show twice, and says so.
    assert.equal(totals.provisional_calls, totals.calls)
  }
)
