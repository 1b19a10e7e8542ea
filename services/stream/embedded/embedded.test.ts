import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { conformance } from '../conformance.ts'
import { EmbeddedLog } from './log.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallystream-log-'))
const log = new EmbeddedLog(join(folder, 'shared'))
after(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

conformance({ name: 'embedded log', open: () => log, skip: false })
