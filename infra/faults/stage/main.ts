import { runStage } from './stage.ts'

const { STAGE = '', DATA = '', BROKERS, CRASH_AT, NOW_MS, FLUSH_MS, FLUSH_ROWS } = process.env
await runStage({
  stage: STAGE,
  data: DATA,
  brokers: BROKERS,
  crashAt: CRASH_AT ?? null,
  nowMs: NOW_MS === undefined ? Date.now : () => Number(NOW_MS),
  flushMsMax: Number(FLUSH_MS ?? 200),
  flushRowsMax: Number(FLUSH_ROWS ?? 2_000),
  tell: (line) => void process.stdout.write(`${line}\n`)
})
process.exit(0)
