import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pino } from 'pino'
import type { Page } from 'playwright-core'
import { runRecording } from '../../cli/demo/run.ts'
import { killAll, post, ready, startUp, type Up } from '../../cli/up/child.ts'
import { addKey } from '../../collect/keys/key-file.ts'
import { CHROMIUM, serve, TestBrowser, trace, type Served } from './test-cluster.ts'

/** Journeys through the page in a real browser, over the demo's data and over a live process. */

const skip =
  existsSync(CHROMIUM) || process.env['CI'] === 'true' ? false : 'chromium is not installed'

const logger = pino({ level: 'silent' })
describe('the page in a browser', { skip }, () => {
  let folder: string
  let browser: TestBrowser
  let demo: Served
  const open = (url: string, colorScheme?: 'light' | 'dark'): Promise<Page> =>
    browser.open(url, colorScheme)
  const passes = (page: Page, name: string): Promise<void> => browser.passes(page, name)

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'page-'))
    browser = await TestBrowser.launch()
    const { data } = await runRecording(folder, 'shifted', { logger, nowMs: () => Date.now() })
    demo = await serve(data)
  })

  after(async () => {
    killAll()
    await browser?.close()
    await demo?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('leads whoever is paged from the overview to the cause without SQL', async () => {
    const page = await open(`${demo.url}/?last=2h`)
    await page.getByRole('heading', { name: 'Spend' }).waitFor()
    await page.locator('.figure', { hasText: 'Open findings' }).getByRole('link').click()
    await page.getByRole('link', { name: /Cache hit rate of tenant-a fell/ }).click()
    await page
      .locator('.lead', { hasText: 'its prompts now differ from their first block' })
      .waitFor()
    assert.match(page.url(), /\/incidents\/[^?]+\?last=2h$/)
    const chart = page.getByRole('img', { name: /change at 2026-03-02 09:30Z/ })
    assert.equal(await chart.locator('canvas').count(), 1)
    const culprit = page.locator('.card', { has: page.getByRole('heading', { name: 'Culprit' }) })
    assert.match(await culprit.innerText(), /tenant-a/)
    const victims = page.locator('.card', { has: page.getByRole('heading', { name: 'Victims' }) })
    assert.match(await victims.innerText(), /tenant-d/)
    assert.match(await page.locator('.figure').first().innerText(), /\$5\d\d\.\d\d/)
    assert.equal(await page.getByRole('heading', { name: 'When it lies' }).count(), 1)
    await browser.shoot(page, 'incident')
    await page.context().close()
  })

  test('draws the minutes of the two hours that have data, and the last one apart', async () => {
    const page = await open(`${demo.url}/`)
    const spend = page.locator('figure', { hasText: 'Dollars per minute' })
    await spend.getByText('the last step is not whole').waitFor()
    await spend.getByText('Values').click()
    const rows = await spend.locator('.scroll tbody tr').allInnerTexts()
    assert.equal(rows.length, 121)
    assert.match(rows.at(-1) ?? '', /2026-03-02 10:00Z \(not whole\)/)
    assert.doesNotMatch(rows.slice(0, -1).join(), /not whole/)
    await page.goto(`${demo.url}/?from=2026-03-02T08:00:00Z&to=2026-03-02T09:00:00Z`)
    await page.locator('figcaption', { hasText: /^Dollars per minute$/ }).waitFor()
    await page.context().close()
  })

  test('keeps its state in the address, so that a link shows the same to others', async () => {
    const page = await open(`${demo.url}/explore?last=1h`)
    await page.getByLabel('Measure').selectOption('cache_hit_rate')
    await page.getByRole('combobox', { name: /^by/ }).selectOption('tenant')
    const row = page.getByRole('link', { name: 'tenant-a', exact: true })
    await row.click()
    await page.getByText('tenant:tenant-a ✕').waitFor()
    const other = await open(page.url())
    await other.getByText('tenant:tenant-a ✕').waitFor()
    assert.equal(await other.getByLabel('Measure').inputValue(), 'cache_hit_rate')
    await other.getByText('Show SQL').click()
    assert.match(await other.locator('pre').first().innerText(), /FROM windows\s+WHERE/)
    await other.getByRole('link', { name: /see them/ }).click()
    await other.getByRole('heading', { name: 'Events', exact: true }).waitFor()
    await other.getByRole('cell', { name: 'tenant-a' }).first().waitFor()
    await other.goBack()
    await other.getByRole('heading', { name: 'Explore', exact: true }).waitFor()
    await other.context().close()
    await page.context().close()
  })

  test('is used with the keyboard alone', async () => {
    const page = await open(`${demo.url}/?last=2h`)
    await page.getByRole('heading', { name: 'Spend' }).waitFor()
    const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.innerText')
    const press = async (wanted: RegExp, key = 'Tab'): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press(key)
        if (wanted.test((await focused()).trim())) return
      }
      assert.fail(`no way to ${wanted}`)
    }
    await press(/^Skip to content$/)
    await press(/^Findings$/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Findings', exact: true }).waitFor()
    await press(/^Cache hit rate of tenant-a/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Runbook' }).waitFor()
    await press(/^Values$/)
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Values of hit rate' }).waitFor()
    await page.context().close()
  })

  test('has no serious fault of accessibility in any view, light or dark, and fits a telephone', async () => {
    const incidents = (await (await fetch(`${demo.url}/v1/findings`)).json()) as {
      findings: { fingerprint: string }[]
    }
    const views = {
      overview: '/?last=2h',
      findings: '/findings',
      incident: `/incidents/${incidents.findings[0]?.fingerprint}`,
      explore: '/explore?last=1h',
      events: '/events?last=1h',
      tenants: '/tenants',
      tenant: '/tenants/tenant-a',
      reconcile: '/reconcile',
      energy: '/energy?last=1h',
      months: '/months',
      nothing: '/?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z'
    }
    for (const [name, address] of Object.entries(views)) {
      const page = await open(`${demo.url}${address}`)
      await page.locator('.card, .state h2').first().waitFor()
      await passes(page, name)
      await browser.fits(page, name)
      await page.context().close()
    }
  })

  test('follows the choice of theme over that of the system, and keeps it', async () => {
    const page = await open(`${demo.url}/findings`, 'light')
    const ground = (): Promise<string> =>
      page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const light = await ground()
    await page.getByLabel('Theme').selectOption('dark')
    const dark = await ground()
    assert.notEqual(dark, light)
    await page.reload()
    await page.getByRole('heading', { name: 'Findings', exact: true }).waitFor()
    assert.equal(await ground(), dark)
    await page.context().close()
  })

  test('says what a range without data is, and where data is', async () => {
    const page = await open(`${demo.url}/?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`)
    await page.getByRole('heading', { name: 'Nothing in this range' }).waitFor()
    await page.getByRole('link', { name: /Show the last day/ }).click()
    await page.getByRole('heading', { name: 'Spend' }).waitFor()
    await page.goto(`${demo.url}/events?failed=true&filter=tenant:nobody`)
    await page.getByRole('link', { name: /Show the last day/ }).click()
    await page.getByRole('heading', { name: 'Newest first' }).waitFor()
    assert.equal(await page.getByLabel('Outcome').inputValue(), '')
    await page.goto(`${demo.url}/findings?tenant=nobody`)
    await page.getByRole('link', { name: 'Show all findings' }).click()
    await page.getByRole('heading', { name: 'Newest first' }).waitFor()
    await page.context().close()
  })

  test('shows a refusal plainly', async () => {
    const page = await open(`${demo.url}/explore?filter=nonsense`)
    const alert = page.getByRole('alert')
    await alert.waitFor()
    assert.match(await alert.innerText(), /names no dimension[\s\S]*E_USAGE/)
    await page.context().close()
  })

  test('asks for a key where the server does, and keeps it for the tab alone', async () => {
    const keys = path.join(folder, 'keys.json')
    const token = await addKey(keys, {
      scopes: ['read:tenant/tenant-b'],
      tenant: null,
      name: null,
      now: new Date()
    })
    const guarded = await serve(path.join(folder, 'shifted'), keys)
    const page = await open(`${guarded.url}/tenants`)
    await page.getByLabel('API key').waitFor()
    await passes(page, 'key')
    await page.getByLabel('API key').fill(token)
    await page.getByRole('button', { name: 'Use this key' }).click()
    await page.getByRole('link', { name: 'tenant-b' }).waitFor()
    assert.equal(await page.getByRole('link', { name: 'tenant-a' }).count(), 0)
    await page.goto(`${guarded.url}/tenants/tenant-a`)
    await page.getByRole('heading', { name: 'This key may not see that' }).waitFor()
    const other = await open(`${guarded.url}/tenants`)
    await other.getByRole('heading', { name: 'A key is needed' }).waitFor()
    await other.context().close()
    await page.context().close()
    await guarded.stop()
  })

  test('waits for the first event with a call to copy, and shows it when it comes', async () => {
    const up = await startUp(path.join(folder, 'live'))
    await ready(up)
    const page = await open(`${up.url}/`)
    await page.getByRole('heading', { name: 'No data yet' }).waitFor()
    const command = await page.locator('pre').first().innerText()
    await passes(page, 'no-data')
    await sendAsShown(up, command)
    await page.getByRole('heading', { name: 'Spend' }).waitFor()
    await page.getByText('your count and the provider').waitFor()
    assert.match(
      await page.getByText('1.1K tokens').or(page.getByText('1,120 tokens')).innerText(),
      /acme.*gpt-4o.*\$0\.00\d/
    )
    await browser.shoot(page, 'first-event')
    assert.equal(await post(up, trace()), 4)
    await drawsTheTree(page, up)
    await page.context().close()
  })

  /** The body of the call on show is sent as it stands. */
  const sendAsShown = async ({ url }: Up, command: string): Promise<void> => {
    const body = /-d '(.*)'$/s.exec(command)?.[1]
    assert.ok(body, command)
    assert.match(command, new RegExp(`^curl -sS ${url}/v1/events `))
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body })
    assert.equal(response.status, 200, await response.text())
  }

  const drawsTheTree = async (page: Page, { url }: Up): Promise<void> => {
    await page.goto(`${url}/events`)
    await page.getByRole('link', { name: 'trace-1' }).first().click()
    await page.getByText('comes back to').waitFor()
    const steps = await page.locator('.tree li').allInnerTexts()
    assert.equal(steps.length, 4)
    assert.match(steps[1] ?? '', /level 2:\s+tool search[\s\S]*attempt 1 of 2/)
    assert.match(steps[2] ?? '', /level 2:\s+tool search[\s\S]*attempt 2 of 2/)
    assert.match(steps[3] ?? '', /level 3:\s+agent planner[\s\S]*comes back to agent planner/)
    await passes(page, 'trace')
    await browser.fits(page, 'trace')
  }

  test('never asked the browser for what its policy refuses', () => {
    assert.deepEqual(browser.complaints, [])
  })
})
