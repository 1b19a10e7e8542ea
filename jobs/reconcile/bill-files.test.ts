import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readBillFiles, readBillText } from './bill-files.ts'

describe('a compressed bill', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tally-bill-'))
  })
  after(() => rm(folder, { recursive: true }))

  const write = async (name: string, bytes: Buffer): Promise<string> => {
    const file = path.join(folder, name)
    await writeFile(file, bytes)
    return file
  }

  test('is read as it was before', async () => {
    const file = await write('small.csv.gz', gzipSync('a,b\n1,2\n'))
    assert.equal(await readBillText(file, 8), 'a,b\n1,2\n')
  })

  test('that unpacks to more than the bound is refused, with a way out', async () => {
    const file = await write('large.csv.gz', gzipSync('a,b\n1,2\n'))
    await assert.rejects(readBillText(file, 7), (error: Error & { hint?: string }) => {
      assert.match(error.message, /large\.csv\.gz unpacks to more than 7 bytes/)
      assert.match(error.hint ?? '', /split it by month/)
      return true
    })
  })

  test('that is a bomb is refused', async () => {
    const file = await write('bomb.csv.gz', gzipSync(Buffer.alloc(300 << 20)))
    await assert.rejects(
      readBillFiles([file], ['openai/costs']),
      /unpacks to more than 268435456 bytes/
    )
  })

  test('that is damaged or missing says so', async () => {
    const packed = gzipSync('a,b\n1,2\n')
    const cut = await write('cut.csv.gz', packed.subarray(0, packed.length - 6))
    await assert.rejects(
      readBillText(cut),
      /cut\.csv\.gz can not be read: .*unexpected end of file/
    )
    const absent = path.join(folder, 'absent.csv.gz')
    await assert.rejects(readBillText(absent), /absent\.csv\.gz can not be read: .*ENOENT/)
  })
})
