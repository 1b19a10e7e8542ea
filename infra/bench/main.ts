import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runLand } from './land.ts'
import { race } from './race.ts'
import { runStage } from './stage.ts'

const { BROKERS = '127.0.0.1:29092', TOPIC = '', SCHEMA = '', OUT = '', STAGE = '' } = process.env
const schema: unknown = JSON.parse(await readFile(SCHEMA, 'utf8'))
const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-race-'))
try {
  const options = { brokers: BROKERS, topic: TOPIC, schema, folder }
  const line =
    STAGE === ''
      ? await race({ ...options, out: OUT })
      : await (STAGE === 'land' ? runLand : runStage)({ ...options, stage: STAGE })
  process.stdout.write(`${line}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
