import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { PEAK_MB_MAX, peakMegabytes, startStage } from './child.ts'
import { caughtUp, type Stand } from './stand.ts'

/**
 * Lands everything by a consumer's process, which ends in order and in bounded memory.
 * @param env what the process is told beside what it serves.
 * @returns the most memory that it held, MB.
 */
export const landBounded = async (
  t: Pick<TestContext, 'after'>,
  stand: Stand,
  env: Readonly<Record<string, string>> = {}
): Promise<number> => {
  const stage = startStage({ ...env, STAGE: 'serve', DATA: stand.data, TOPIC: stand.topic })
  t.after(() => stage.process.kill('SIGKILL'))
  await caughtUp(stand, stage)
  const peakMb = await peakMegabytes(stage)
  assert.ok(peakMb < PEAK_MB_MAX, `${peakMb} MB`)
  stage.process.kill('SIGTERM')
  const { code, output } = await stage.ended
  assert.equal(code, 0, output)
  return peakMb
}
