import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import axe from 'axe-core'
import { pino } from 'pino'
import { chromium, type Browser, type Page } from 'playwright-core'
import { runServe } from '../../cli/up/serve.ts'

/** A server of the page, something to show, and a browser to look at it, for tests. */

const logger = pino({ level: 'silent' })

export type Served = { url: string; stop: () => Promise<void> }

export const serve = async (data: string, keyFile: string | null = null): Promise<Served> => {
  const stopping = new AbortController()
  let running = Promise.resolve()
  const url = await new Promise<string>((started, fail) => {
    const options = { place: { data }, host: '127.0.0.1', port: 0, keyFile }
    const doors = { logger, now: () => new Date(), started }
    running = runServe(options, doors, stopping.signal)
    running.catch(fail)
  })
  return {
    url,
    stop: async () => {
      stopping.abort()
      await running
    }
  }
}

/** An agent whose tool is tried twice; the second time calls the agent again. */
export const trace = (): object[] => {
  const startMs = Date.now()
  const step = (id: string, parent: string | null, kind: string, name: string): object => ({
    id,
    time: new Date(startMs + Number(id.slice(1)) * 10).toISOString(),
    tenant: 'acme',
    kind,
    name,
    trace_id: 'trace-1',
    span_id: id,
    ...(parent === null ? {} : { parent_span_id: parent }),
    duration_ms: 100
  })
  const attempt = { operation_id: 'search-1' }
  return [
    step('s0', null, 'agent', 'planner'),
    { ...step('s1', 's0', 'tool', 'search'), ...attempt, attempt: 1, status: 500 },
    { ...step('s2', 's0', 'tool', 'search'), ...attempt, attempt: 2 },
    step('s3', 's2', 'agent', 'planner')
  ]
}

export const CHROMIUM = '/usr/bin/chromium'
const shots = new URL('../../../.tmp/page/', import.meta.url).pathname
/** The whole suite may run beside it. */
const WAIT_MS_MAX = 30_000
const NARROW = { width: 390, height: 844 }

/** A browser that looks closely, and leaves pictures in `.tmp/page/`. */
export class TestBrowser {
  readonly #browser: Browser
  /** What the browser complained about: a refused style, a script that failed. */
  readonly complaints: string[] = []

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  static async launch(): Promise<TestBrowser> {
    await mkdir(shots, { recursive: true })
    const args = ['--no-sandbox']
    return new TestBrowser(await chromium.launch({ executablePath: CHROMIUM, args }))
  }

  async open(url: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const viewport = { width: 1280, height: 900 }
    const context = await this.#browser.newContext({ colorScheme, viewport })
    const page = await context.newPage()
    page.setDefaultTimeout(WAIT_MS_MAX)
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      const text = message.text()
      if (message.type() === 'error' && !text.startsWith('Failed to load'))
        this.complaints.push(text)
    })
    await page.goto(url)
    return page
  }

  async shoot(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true })
  }

  /** A page as it stands, in both themes: nothing serious, and a picture of each. */
  async passes(page: Page, name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      assert.deepEqual(await faults(page), [], `${name}, ${colorScheme}`)
      await this.shoot(page, `${name}-${colorScheme}`)
    }
  }

  /** On a telephone nothing lies beside the screen, but what scrolls by itself. */
  async fits(page: Page, name: string): Promise<void> {
    await page.setViewportSize(NARROW)
    // Charts follow a moment later.
    await page.waitForFunction('document.documentElement.scrollWidth <= innerWidth')
    for (const link of await page.getByRole('navigation').getByRole('link').all()) {
      const box = await link.boundingBox()
      const isInSight = box !== null && box.x >= 0 && box.x + box.width <= NARROW.width
      assert.ok(isInSight, await link.innerText())
    }
    await this.shoot(page, `${name}-narrow`)
  }

  close(): Promise<void> {
    return this.#browser.close()
  }
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
