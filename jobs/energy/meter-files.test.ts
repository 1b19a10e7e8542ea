import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Failure } from '../../schemas/failure.ts'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
import { METER_BYTES_MAX, readMeterFile } from './meter-files.ts'

const NOW_MS = Date.parse('2026-03-01T10:00:00Z')
const TABLE = 'time,host,gpu,energy_j\n2026-03-01T09:00:00Z,h,0,5\n'
/** Unpacks to more than is taken, and is less than a megabyte. */
const bomb = (): Buffer => gzipSync(Buffer.alloc(METER_BYTES_MAX + 1, '\n'))

const read = (from: string) => readMeterFile({ from, host: null, timeMs: null, nowMs: NOW_MS })

const serve = async (t: TestContext, body: Buffer, encoding?: string): Promise<string> => {
  const server = createServer((_request, response) => {
    if (encoding !== undefined) response.setHeader('content-encoding', encoding)
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/table`
}

test('a file is read plain or packed, from disk or an address, and its identity is its text', async (t) => {
  const folder = await scratchFolder(t)
  const plain = path.join(folder, 'a.csv')
  const packed = path.join(folder, 'a.csv.gz')
  await writeFile(plain, TABLE)
  await writeFile(packed, gzipSync(TABLE))
  const packedBody = gzipSync(TABLE)
  const files = await Promise.all([
    read(plain),
    read(packed),
    ...[[Buffer.from(TABLE)], [packedBody], [packedBody, 'gzip']].map(async ([body, encoding]) => ({
      ...(await read(await serve(t, body as Buffer, encoding as string | undefined))),
      // Of an address the time of asking is part of what was asked.
      sha256: null
    }))
  ])
  assert.equal(files[0]?.sha256, files[1]?.sha256)
  for (const { readings } of files) assert.deepEqual(readings, files[0]?.readings)
})

test('what is cut, damaged, no text or would fill the memory is refused, saying what to do', async (t) => {
  const folder = await scratchFolder(t)
  const cases: [string, Buffer, RegExp][] = [
    ['cut.gz', gzipSync(Buffer.from(TABLE.repeat(100))).subarray(0, 40), /can not be unpacked/],
    ['noise.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]), /can not be unpacked/],
    ['wide.csv', Buffer.from(`\uFEFF${TABLE}`, 'utf16le'), /no text in UTF-8/],
    ['empty.csv', Buffer.alloc(0), /is empty/],
    ['ahead.csv', Buffer.from(TABLE.replace('T09', 'T12')), /2026-03-01T12:00:00.000Z/],
    ['bomb.gz', bomb(), /more than \d+ bytes/]
  ]
  for (const [name, bytes, message] of cases) {
    const file = path.join(folder, name)
    await writeFile(file, bytes)
    await assert.rejects(read(file), { code: 'E_FACTOR_TABLE', message }, name)
  }
  await assert.rejects(read(folder), { code: 'E_USAGE', message: /can not be read/ })
})

test('an answer that unpacks to more than the memory is refused while it comes', async (t) => {
  const refusal = { code: 'E_FACTOR_TABLE', message: /more than \d+ bytes/ }
  const body = bomb()
  await assert.rejects(read(await serve(t, body, 'gzip')), refusal)
  await assert.rejects(read(await serve(t, body)), refusal)
})

test('an address is named without what may be secret in it', async (t) => {
  const address = new URL(await serve(t, Buffer.from([0xff, 0xfe])))
  address.search = '?token=hush'
  const refused = [
    [address.href, 'E_FACTOR_TABLE'],
    [address.href.replace('//', '//me:hush@'), 'E_USAGE'],
    ['http://me:hush@127.0.0.1:1/table?token=hush', 'E_USAGE']
  ] as const
  for (const [from, code] of refused) {
    await assert.rejects(read(from), (failure: Failure) => {
      assert.equal(failure.code, code)
      assert.match(failure.message, /^http:\/\/127\.0\.0\.1:\d+\/table /)
      assert.doesNotMatch(`${failure.message} ${failure.hint} ${inspect(failure)}`, /hush/)
      return true
    })
  }
})
