import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = new URL('../../', import.meta.url).pathname

const CHANNEL = `import { z } from 'zod'
import { defineChannel } from '../../channel.ts'
import { post } from '../../delivery/post.ts'

export default defineChannel({
  title: 'Tells nobody in particular',
  config: z.strictObject({ url: z.url() }),
  bytesMax: 1_000,
  open: ({ url }, doors) => ({
    mode: 'events',
    send: ({ notice }, signal) =>
      post(doors, { url, body: JSON.stringify({ tenant: notice.tenant }), headers: {}, signal })
  })
})
`
const EXAMPLE = '# Nobody listens there.\nname: nobody\nkind: nobody\nurl: http://127.0.0.1:9/\n'

test('a new channel is one new folder and no other edit: it passes the suite and can be configured', async (t) => {
  const copy = await mkdtemp(join(tmpdir(), 'new-channel-'))
  t.after(() => rm(copy, { recursive: true, force: true }))
  for (const part of ['package.json', 'tsconfig.json', 'schemas', 'services', 'jobs']) {
    await cp(join(root, part), join(copy, part), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const folder = join(copy, 'jobs/alert/channels/nobody')
  await mkdir(folder)
  await writeFile(join(folder, 'channel.ts'), CHANNEL)
  await writeFile(join(folder, 'example.yaml'), EXAMPLE)
  const suite = join(copy, 'jobs/alert/channels/conformance.test.ts')
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const options = ['--import', 'tsx', '--test', '--test-reporter=tap', suite]
  const { stdout, status } = spawnSync(process.execPath, options, {
    cwd: copy,
    env,
    encoding: 'utf8'
  })
  assert.equal(status, 0, stdout)
  assert.match(stdout, /# Subtest: the channel nobody/)
  assert.match(stdout, /# fail 0/)
})
