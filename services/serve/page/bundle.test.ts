import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { bundlePage } from './bundle.ts'
import { registerPage } from './register-page.ts'

/** What a phone on a slow line loads within a second. */
const BYTES_MAX = 100_000

const files = await bundlePage()
const text = (name: string): string => Buffer.from(files.get(name) ?? '').toString('utf8')

describe('the page', () => {
  test('is one document, one script and one sheet of at most 100 KB together, compressed', () => {
    assert.deepEqual([...files.keys()].sort(), ['index.html', 'page.css', 'page.js'])
    const bytes = [...files.values()].reduce((sum, body) => sum + gzipSync(body).length, 0)
    assert.ok(bytes > 1000 && bytes <= BYTES_MAX, `${bytes} bytes`)
  })

  test('loads nothing from elsewhere and holds nothing inline', () => {
    const html = text('index.html')
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1])
    assert.deepEqual(loaded, ['data:,', '/page/page.css', '/page/page.js'])
    assert.doesNotMatch(html, /<style|style=|\son\w+=/)
    assert.doesNotMatch(text('page.css'), /@import|url\((?!data:)/)
    assert.doesNotMatch(text('page.js'), /\beval\(|new Function\(|innerHTML=`/)
  })

  test('names the licences of what is bundled', () => {
    assert.match(text('page.js'), /preact.*MIT.*uPlot.*MIT/)
  })
})

describe('its addresses', () => {
  const app = Fastify()
  registerPage(app)

  test('all lead to the document, under a policy that runs no inline script', async () => {
    for (const url of [
      '/',
      '/findings',
      '/incidents/a%2Fb',
      '/traces/x',
      '/tenants',
      '/tenants/acme'
    ]) {
      const { statusCode, headers, body } = await app.inject(url)
      assert.equal(statusCode, 200, url)
      assert.equal(body, text('index.html'))
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
      assert.doesNotMatch(policy, /unsafe|\*/)
    }
  })

  test('give files with their types, and nothing again that a browser has', async () => {
    const first = await app.inject('/page/page.js')
    assert.equal(first.headers['content-type'], 'text/javascript; charset=utf-8')
    const etag = String(first.headers.etag)
    const again = await app.inject({ url: '/page/page.js', headers: { 'if-none-match': etag } })
    assert.equal(again.statusCode, 304)
    assert.equal(again.body, '')
  })

  test('send files compressed to whoever takes that', async () => {
    const packed = await app.inject({
      url: '/page/page.js',
      headers: { 'accept-encoding': 'gzip' }
    })
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.equal(gunzipSync(packed.rawPayload).toString('utf8'), text('page.js'))
  })

  test('that are none give a browser the document, which says so, and a program a problem', async () => {
    const html = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' }
    const mistyped = await app.inject({ url: '/finding', headers: html })
    assert.equal(mistyped.statusCode, 404)
    assert.equal(mistyped.body, text('index.html'))
    for (const request of [
      { url: '/finding', headers: { accept: '*/*' } },
      { url: '/v1/finding', headers: html }
    ]) {
      const { statusCode, headers } = await app.inject(request)
      assert.equal(statusCode, 404)
      assert.match(String(headers['content-type']), /json/)
    }
  })

  test('give nothing that is not of the page', async () => {
    for (const url of ['/page/main.ts', '/page/..%2Fbundle.ts', '/page/']) {
      assert.equal((await app.inject(url)).statusCode, 404, url)
    }
  })
})
