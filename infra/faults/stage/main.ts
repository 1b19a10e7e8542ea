import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { runStage } from './stage.ts'

const { STAGE = '', DATA = '', BROKERS, TOPIC, SESSION_MS, CRASH_AT, BUILD, NOW_MS } = process.env
const { FLUSH_MS = '200', FLUSH_ROWS = '2000', SYNC_MS = '0' } = process.env
await runStage({
  stage: STAGE,
  data: DATA,
  brokers: BROKERS,
  topic: TOPIC ?? EVENTS_TOPIC,
  sessionTimeoutMs: SESSION_MS === undefined ? undefined : Number(SESSION_MS),
  crashAt: CRASH_AT ?? null,
  build: BUILD ?? null,
  syncMs: Number(SYNC_MS),
  nowMs: NOW_MS === undefined ? Date.now : () => Number(NOW_MS),
  flushMsMax: Number(FLUSH_MS),
  flushRowsMax: Number(FLUSH_ROWS),
  tell: (line) => void process.stdout.write(`${line}\n`)
})
process.exit(0)
