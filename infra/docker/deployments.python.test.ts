import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { readAlertConfig } from '../../jobs/alert/config.ts'
import { resolveSettings } from '../../services/cli/config/settings.ts'

/** The image and the manifests, judged by their own tools: no engine is needed. */

const run = promisify(execFile)
const infra = fileURLToPath(new URL('../', import.meta.url))
const bin = fileURLToPath(new URL('../../.venv/bin/', import.meta.url))
const skip = existsSync(path.join(bin, 'hadolint')) ? false : 'needs .venv: infra/python/setup.sh'

const check = (tool: string, ...args: string[]) => run(path.join(bin, tool), args, { cwd: infra })
const read = (file: string): Promise<string> => readFile(path.join(infra, file), 'utf8')

/** What a container may not do. */
const Confined = z.object({
  allowPrivilegeEscalation: z.literal(false),
  readOnlyRootFilesystem: z.literal(true),
  capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  privileged: z.literal(false).optional()
})
const Pod = z.object({
  automountServiceAccountToken: z.literal(false),
  securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.int().positive() }),
  hostNetwork: z.never().optional(),
  hostPID: z.never().optional(),
  containers: z.array(z.object({ securityContext: Confined })).min(1)
})
const Confinement = z.object({
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  user: z.string().regex(/^[1-9]\d*:[1-9]\d*$/),
  privileged: z.never().optional()
})
const Manifest = z.looseObject({ kind: z.string() })

describe('deployments', () => {
  test('the Dockerfile satisfies hadolint', { skip }, async () => {
    await check('hadolint', 'docker/Dockerfile')
    assert.match(await read('docker/Dockerfile'), /\nUSER 10001:10001\n/)
  })

  test('hadolint is not silent about everything', { skip }, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'hadolint-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = path.join(folder, 'Dockerfile')
    await writeFile(file, 'FROM node:latest\nRUN cd /tmp && sudo ls\n')
    await assert.rejects(check('hadolint', file), ({ stdout }: { stdout: string }) =>
      /DL3007|DL3004/.test(stdout)
    )
  })

  test('the compose file satisfies its schema, and confines what it runs', { skip }, async () => {
    const file = 'compose/compose.yaml'
    await check('check-jsonschema', '--builtin-schema', 'vendor.compose-spec', file)
    const Compose = z.object({ services: z.record(z.string(), Confinement) })
    const { services } = Compose.parse(parse(await read(file), { merge: true }))
    assert.deepEqual(Object.keys(services), ['tallystream', 'prometheus', 'alertmanager'])
  })

  test('the manifests satisfy Kubernetes, and confine the pod', { skip }, async () => {
    await check('kubernetes-validate', '--strict', 'kubernetes/tallystream.yaml')
    const { spec } = z
      .object({ spec: z.object({ template: z.object({ spec: Pod }) }) })
      .parse(await manifest('StatefulSet'))
    assert.equal(spec.template.spec.containers.length, 1)
  })

  test('our own settings take what the deployments give', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'deployment-'))
    t.after(() => rm(folder, { recursive: true }))
    const { data } = z
      .object({ data: z.record(z.string(), z.string()) })
      .parse(await manifest('ConfigMap'))
    const given = [
      { settings: await read('compose/settings.yaml'), alerts: await read('compose/alerts.yaml') },
      { settings: data['settings.yaml'] ?? '', alerts: data['alerts.yaml'] ?? '' }
    ]
    for (const { settings: text, alerts } of given) {
      const file = path.join(folder, 'settings.yaml')
      await writeFile(file, text)
      const { settings } = await resolveSettings({ flags: {}, env: {}, file })
      assert.equal(settings.data, '/data')
      assert.equal(settings.host, '0.0.0.0')
      assert.notEqual(settings.keys, null)
      assert.equal(readAlertConfig(alerts, 'alerts.yaml').channels.length, 1)
    }
  })
})

const manifest = async (kind: string): Promise<unknown> => {
  const documents = parseAllDocuments(await read('kubernetes/tallystream.yaml'))
  return documents
    .map((one) => one.toJS() as unknown)
    .find((one) => Manifest.parse(one).kind === kind)
}
