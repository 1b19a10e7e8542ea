import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { race } from './race.ts'

const { BROKERS = '127.0.0.1:29092', TOPIC = '', SCHEMA = '', OUT = '' } = process.env
const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-race-'))
try {
  const schema: unknown = JSON.parse(await readFile(SCHEMA, 'utf8'))
  process.stdout.write(
    `${await race({ brokers: BROKERS, topic: TOPIC, schema, out: OUT, folder })}\n`
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
