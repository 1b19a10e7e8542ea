import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import axe from 'axe-core'
import { pino } from 'pino'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { runRecording } from '../../cli/demo/run.ts'
import { killAll, post, ready, startUp, type Up } from '../../cli/up/child.ts'
import { addKey } from '../../collect/keys/key-file.ts'
import { serve, trace, type Served } from './test-cluster.ts'

/** Journeys through the page in a real browser, over the demo's data and over a live process. */

const CHROMIUM = '/usr/bin/chromium'
const skip =
  existsSync(CHROMIUM) || process.env['CI'] === 'true' ? false : 'chromium is not installed'

const shots = new URL('../../../.tmp/page/', import.meta.url).pathname
const logger = pino({ level: 'silent' })
/** The whole suite may run beside it. */
const WAIT_MS_MAX = 30_000

describe('the page in a browser', { skip }, () => {
  let folder: string
  let browser: Browser
  let demo: Served
  /** What the browser complained about: a refused style, a script that failed. */
  const complaints: string[] = []

  const open = async (url: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> => {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width: 1280, height: 900 }
    })
    const page = await context.newPage()
    page.setDefaultTimeout(WAIT_MS_MAX)
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      const text = message.text()
      if (message.type() === 'error' && !text.startsWith('Failed to load')) complaints.push(text)
    })
    await page.goto(url)
    return page
  }

  const close = (page: Page): Promise<void> => (page.context() satisfies BrowserContext).close()

  const shoot = async (page: Page, name: string): Promise<void> => {
    await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true })
  }

  /** Rules of the Web Content Accessibility Guidelines that are broken seriously. */
  const faults = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe.source)
    const found = await page.evaluate<{ id: string; impact: string; nodes: { html: string }[] }[]>(
      'axe.run().then(({ violations }) => violations)'
    )
    return found
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
  }

  /** A page as it stands, in both themes: nothing serious, and a picture of each. */
  const passes = async (page: Page, name: string): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      assert.deepEqual(await faults(page), [], `${name}, ${colorScheme}`)
      await shoot(page, `${name}-${colorScheme}`)
    }
  }

  /** On a telephone nothing lies beside the screen, but what scrolls by itself. */
  const fits = async (page: Page, name: string): Promise<void> => {
    await page.setViewportSize({ width: 390, height: 844 })
    // Charts follow a moment later.
    await page.waitForFunction('document.documentElement.scrollWidth <= innerWidth')
    await shoot(page, `${name}-narrow`)
  }

  before(async () => {
    await mkdir(shots, { recursive: true })
    folder = await mkdtemp(path.join(tmpdir(), 'page-'))
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
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
    await shoot(page, 'incident')
    await close(page)
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
    await close(other)
    await close(page)
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
    await close(page)
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
      await fits(page, name)
      await close(page)
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
    await close(page)
  })

  test('says what a range without data is, and where data is', async () => {
    const page = await open(`${demo.url}/?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`)
    await page.getByRole('heading', { name: 'Nothing in this range' }).waitFor()
    await page.getByRole('link', { name: /Show the last day/ }).click()
    await page.getByRole('heading', { name: 'Spend' }).waitFor()
    await close(page)
  })

  test('shows a refusal plainly', async () => {
    const page = await open(`${demo.url}/explore?filter=nonsense`)
    const alert = page.getByRole('alert')
    await alert.waitFor()
    assert.match(await alert.innerText(), /names no dimension[\s\S]*E_USAGE/)
    await close(page)
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
    await close(other)
    await close(page)
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
    await shoot(page, 'first-event')
    assert.equal(await post(up, trace()), 4)
    await drawsTheTree(page, up)
    await close(page)
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
    await fits(page, 'trace')
  }

  test('never asked the browser for what its policy refuses', () => {
    assert.deepEqual(complaints, [])
  })
})
