import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'node:test'
import { scratchFolder } from '../../lake/scratch-lake.ts'
import { openTestLake, TENANTS } from '../../serve/test-cluster.ts'
import { runCli } from '../shell.ts'

const PAUSE_MS = 20
const [OWN] = TENANTS

test('the API alone takes the file of settings, and is ready when its cube is made', async (t) => {
  const folder = await scratchFolder(t)
  const { dir } = await openTestLake(t)
  const data = path.join(folder, 'data')
  await mkdir(data)
  await rename(dir, path.join(data, 'lake'))
  const config = path.join(folder, 'tally.yaml')
  await writeFile(config, `data: ${data}\nport: 0\nbudgets_usd: { ${OWN}: "12.50" }\n`)
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const io = { stdin, stdout, stderr, now: () => new Date(), env: {} }
  const ended = runCli(['serve', '--config', config, '--json'], io)
  const [line] = (await once(stdout, 'data')) as [Buffer]
  const { url } = JSON.parse(line.toString()) as { url: string }
  const first = await fetch(`${url}/readyz`)
  assert.deepEqual(
    [first.status, await first.json()],
    [503, { status: 'the lake is being opened' }]
  )
  while ((await fetch(`${url}/readyz`)).status !== 200) await pause(PAUSE_MS)
  const answer = await fetch(`${url}/v1/tenants/${OWN}`)
  assert.match(await answer.text(), /"12\.50?"/)
  process.emit('SIGINT')
  assert.equal(await ended, 0)
})
