import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { EventLog, OutRecord } from '../../../stream/log.ts'
import { startCollector } from '../../start.ts'

const PYTHON = fileURLToPath(new URL('../../../../.venv/bin/python', import.meta.url))
const SCRIPT = fileURLToPath(new URL('export_spans.py', import.meta.url))
const skip = existsSync(PYTHON) ? false : 'needs .venv: run infra/python/setup.sh'

/** Keeps what was appended. */
const keepingCollector = async () => {
  const records: OutRecord[] = []
  const log = {
    ensureTopic: async () => true,
    partitions: async () => [],
    append: async (_topic: string, added: readonly OutRecord[]) => void records.push(...added)
  } as unknown as EventLog
  const options = { host: '127.0.0.1', port: 0, keyFile: null, now: () => new Date() }
  return { records, collector: await startCollector({ ...options, log }) }
}

test(
  'the OpenTelemetry SDK lands the same bytes by protobuf with gzip and by JSON',
  { skip },
  async () => {
    const [protobuf, json] = [await keepingCollector(), await keepingCollector()]
    const urls = [protobuf, json].map(({ collector }) => `${collector.url}/v1/traces`)
    await promisify(execFile)(PYTHON, [SCRIPT, ...urls])
    await Promise.all([protobuf.collector.close(), json.collector.close()])
    assert.equal(protobuf.records.length, 4)
    assert.deepEqual(json.records, protobuf.records)
    const text = protobuf.records.map(({ value }) => Buffer.from(value ?? []).toString('utf8'))
    const chat = text.find((one) => one.includes('gpt-5-2026-08-01')) ?? ''
    for (const part of [
      'acme',
      'checkout',
      'chatcmpl-ä€',
      'example.instrumentation@1.2.3',
      'search'
    ]) {
      assert.ok(chat.includes(part), part)
    }
    assert.ok(!text.some((one) => one.includes('content content')))
    assert.ok(text.some((one) => one.includes('TimeoutError')))
  }
)
