import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { EmbeddedLog } from '../../stream/embedded/log.ts'
import { addKey } from './key-file.ts'
import { createKeyRing, parseKeyFile } from './key-ring.ts'
import { createKey } from './key.ts'
import { startCollector } from '../start.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const JSON_TYPE = { 'content-type': 'application/json' }

const event = (id: string, more: object = {}): Record<string, unknown> => ({
  id,
  time: '2026-11-24T10:00:00Z',
  tenant: 'acme',
  kind: 'llm',
  ...more
})

describe('API keys', () => {
  test('bind a sender to scope and tenant, expire, and are withdrawn with the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'collect-keys-'))
    const log = new EmbeddedLog(join(folder, 'log'))
    let now = NOW
    const any = createKey({ scopes: ['ingest'], tenant: null, name: null, now })
    const acme = createKey({ scopes: ['ingest'], tenant: 'acme', name: 'acme', now })
    const reader = createKey({ scopes: ['read'], tenant: null, name: null, now })
    const old = createKey({ scopes: ['ingest'], tenant: null, name: null, now })
    const expired = { ...old.entry, expires: '2026-11-24T11:00:00Z' }
    const keyFile = join(folder, 'keys.json')
    const entries = [any.entry, acme.entry, reader.entry, expired]
    await writeFile(keyFile, JSON.stringify({ keys: entries }))
    const collector = await startCollector({
      log,
      host: '127.0.0.1',
      port: 0,
      keyFile,
      now: () => now
    })
    const post = async (body: unknown, authorization?: string) => {
      const response = await fetch(`${collector.url}/v1/events`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { ...JSON_TYPE, ...(authorization === undefined ? {} : { authorization }) }
      })
      return response.status
    }
    const forged = `${any.token.slice(0, -1)}${any.token.endsWith('A') ? 'B' : 'A'}`
    assert.equal(await post(event('k')), 401)
    assert.equal(await post(event('k'), 'Bearer nonsense'), 401)
    assert.equal(await post(event('k'), `Bearer ${forged}`), 401)
    assert.equal(await post(event('k'), `Bearer ${old.token}`), 401)
    assert.equal(await post(event('k'), `Bearer ${reader.token}`), 403)
    assert.equal(await post(event('k', { tenant: 'globex' }), `Bearer ${acme.token}`), 403)
    assert.equal(await post([event('k'), event('l', { tenant: 'x' })], `Bearer ${acme.token}`), 403)
    assert.equal(await post(event('k'), `Bearer ${acme.token}`), 200)
    assert.equal(await post(event('k', { tenant: undefined }), `Bearer ${acme.token}`), 200)
    assert.equal(await post(event('k', { tenant: 'globex' }), `bearer ${any.token}`), 200)
    assert.equal(JSON.stringify(entries).includes(any.token), false)

    await writeFile(keyFile, JSON.stringify({ keys: [acme.entry] }))
    now = new Date(NOW.getTime() + 6000)
    // The check that finds the file changed still uses the old keys; the file is read after it.
    while ((await post(event('k'), `Bearer ${any.token}`)) === 200) {
      now = new Date(now.getTime() + 6000)
    }
    assert.equal(await post(event('k'), `Bearer ${acme.token}`), 200)
    await collector.close()
    await log.close()
    await rm(folder, { recursive: true })
  })

  test('are added to a file by hash alone, and work from there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'collect-add-'))
    const file = join(folder, 'keys.yaml')
    const options = { scopes: ['ingest' as const], tenant: 'acme', name: null, now: NOW }
    const tokens = [await addKey(file, options), await addKey(file, { ...options, tenant: null })]
    const text = await readFile(file, 'utf8')
    const ring = createKeyRing(parseKeyFile(text, file))
    const tenants = tokens.map((token) => ring.check(token, 'ingest', NOW.getTime()).tenant)
    assert.deepEqual(tenants, ['acme', null])
    assert.ok(!tokens.some((token) => text.includes(token)))
    await rm(folder, { recursive: true })
  })

  test('are required beyond loopback', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'collect-open-'))
    const log = new EmbeddedLog(join(folder, 'log'))
    const options = { log, host: '0.0.0.0', port: 0, keyFile: null, now: () => NOW }
    await assert.rejects(startCollector(options), { code: 'E_USAGE' })
    await log.close()
    await rm(folder, { recursive: true })
  })
})
