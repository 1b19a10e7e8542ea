import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { Failure } from '../../../schemas/failure.ts'
import type { Notice } from '../../../schemas/incidents.ts'
import type { EventLog, OutRecord } from '../../../services/stream/log.ts'
import type { ChannelDoors, Notification, Outcome, Sender, Standing } from '../channel.ts'
import { checkEntries, readAlertConfig } from '../config.ts'
import { linkBook } from '../links.ts'
import { loadChannels } from '../load-channels.ts'
import { sampleFinding } from '../sample.ts'

/**
 * What every channel must do, run over every folder found. The outside world is a script: all
 * doors behave the same way at once, so no test needs to know which of them a channel uses.
 */
type World = 'well' | 'busy' | 'broken' | 'refusing' | 'away'
type Sent = { door: 'http' | 'log'; text: string; headers: string }

const ANSWERS = { well: 200, busy: 429, broken: 500, refusing: 403 } as const

const openWorld = (world: World): { doors: ChannelDoors; sent: Sent[] } => {
  const sent: Sent[] = []
  const append = (_: string, records: readonly OutRecord[]): Promise<void> => {
    for (const { value, headers } of records) {
      sent.push({
        door: 'log',
        text: Buffer.from(value ?? []).toString(),
        headers: JSON.stringify(headers)
      })
    }
    if (world === 'well') return Promise.resolve()
    return Promise.reject(
      new Failure('E_LOG_UNAVAILABLE', world, { retriable: world !== 'refusing' })
    )
  }
  const log = { ensureTopic: () => Promise.resolve(false), append } as unknown as EventLog
  const doors: ChannelDoors = {
    fetch: async (url, init) => {
      const request = new Request(url instanceof Request ? url.url : url, init)
      const headers = JSON.stringify([...request.headers])
      sent.push({ door: 'http', text: await request.text(), headers })
      if (world === 'away') throw new TypeError('fetch failed')
      const retry = world === 'busy' ? { 'retry-after': '7' } : {}
      return new Response('as scripted', { status: ANSWERS[world], headers: retry })
    },
    clock: () => new Date('2026-01-01T09:00:00.000Z'),
    readSecret: (file) => Promise.resolve(secretFor(file)),
    log
  }
  return { doors, sent }
}

const SECRET = `whsec_${Buffer.alloc(32, 'secret').toString('base64')}`
const secretFor = (file: string): string =>
  file.includes('url') ? `https://hooks.example/${SECRET}` : SECRET

const here = new URL('./', import.meta.url)
const channels = await loadChannels()
const noSignal = new AbortController().signal

const notice: Notice = {
  number: 7,
  id: 'msg_0123',
  at: '2026-01-01T08:59:00.000Z',
  kind: 'opened',
  withheld: null,
  episode: 1,
  fingerprint: sampleFinding().fingerprint,
  sequence: 3,
  signal: 'cache-thrash',
  tenant: 'tenant-b',
  severity: 'warning'
}

const tell = (
  sender: Sender,
  changes: Parameters<typeof sampleFinding>[0] = {}
): Promise<Outcome> => {
  const finding = sampleFinding(changes)
  const links = linkBook('https://tally.example')(finding)
  const notification: Notification = { notice, finding, links }
  const standing: Standing = {
    ...notice,
    severitiesEnded: ['info'],
    status: 'open',
    changedClockMs: Date.parse(notice.at),
    finding,
    links
  }
  return sender.mode === 'events'
    ? sender.send(notification, noSignal)
    : sender.send([standing], noSignal)
}

test('there are channels, each a folder and nothing beside them', async () => {
  const folders = (await readdir(here, { withFileTypes: true })).filter((entry) =>
    entry.isDirectory()
  )
  assert.deepEqual([...channels.keys()], folders.map(({ name }) => name).sort())
  assert.ok(channels.size > 0)
})

for (const [kind, channel] of channels) {
  const readExample = () => readFile(new URL(`${kind}/example.yaml`, here), 'utf8')
  const open = async (world: World) => {
    const { name: _, kind: __, ...options } = parse(await readExample()) as Record<string, unknown>
    const { doors, sent } = openWorld(world)
    return { sender: channel.open(options, doors), sent }
  }

  describe(`the channel ${kind}`, () => {
    test('has an example that the configuration takes, starting with a comment', async () => {
      const text = await readExample()
      assert.match(text, /^# \S/)
      const indented = text.replaceAll(/^/gm, '    ').replace(/^ {4}name/m, '  - name')
      const config = readAlertConfig(`channels:\n${indented}`, 'example.yaml')
      assert.deepEqual(
        checkEntries(config, channels).map((entry) => entry.kind),
        [kind]
      )
    })

    test('refuses a key that it does not know', async () => {
      const options = parse(await readExample()) as object
      const config = readAlertConfig(
        JSON.stringify({ channels: [{ ...options, colour: 'red' }] }),
        'x'
      )
      assert.throws(() => checkEntries(config, channels), { code: 'E_USAGE', message: /colour/ })
    })

    test('takes secrets from files only', () => {
      const keys = Object.keys(channel.config.shape)
      const secrets = keys.filter((key) => /secret|token|password|authorization/.test(key))
      assert.deepEqual(
        secrets.filter((key) => !key.endsWith('_file')),
        []
      )
    })

    test('delivers in one attempt when all is well', async () => {
      const { sender, sent } = await open('well')
      assert.deepEqual(await tell(sender), { kind: 'delivered' })
      assert.equal(sent.length, 1)
      assert.match(sent[0]?.text ?? '', /tenant-b/)
    })

    test('says that it may try again when the receiver is busy, broken or away', async () => {
      for (const world of ['busy', 'broken', 'away'] as const) {
        const { sender, sent } = await open(world)
        assert.equal((await tell(sender)).kind, 'retry', world)
        assert.equal(sent.length, 1, 'it is the lane that tries again')
      }
    })

    test('hands on how long a busy receiver wants to be left alone', async () => {
      const { sender, sent } = await open('busy')
      const outcome = await tell(sender)
      if (sent[0]?.door !== 'http') return
      assert.deepEqual(outcome.kind === 'retry' ? outcome.retryAfterMs : null, 7_000)
    })

    test('says that it is refused when it is, with what the receiver said', async () => {
      const { sender } = await open('refusing')
      const outcome = await tell(sender)
      assert.equal(outcome.kind, 'rejected')
      assert.match(outcome.kind === 'rejected' ? outcome.reason : '', /403|refusing/)
    })

    test('sends the same again when told the same again', async () => {
      const { sender, sent } = await open('well')
      await tell(sender)
      await tell(sender)
      assert.deepEqual(sent[1], sent[0])
    })

    test('stays small and valid for a finding of any size and any characters', async () => {
      const long = '𝄞\u0000"<!channel>\uD800 '.repeat(4_000)
      const many = Array.from({ length: 2_000 }, (_, index) => ({
        tenant: `tenant-${index}`,
        share: index
      }))
      const { sender, sent } = await open('well')
      const outcome = await tell(sender, {
        summary: long,
        query: long,
        contributors: many,
        victims: many,
        scope: { route: long },
        tenant: 'tenant-b'
      })
      assert.equal(outcome.kind, 'delivered')
      const text = sent[0]?.text ?? ''
      assert.ok(Buffer.byteLength(text) < channel.bytesMax, `${Buffer.byteLength(text)} bytes`)
      assert.doesNotThrow(() => JSON.parse(text))
    })

    test('never sends or says a secret', async () => {
      for (const world of ['well', 'refusing', 'away'] as const) {
        const { sender, sent } = await open(world)
        const outcome = JSON.stringify(await tell(sender))
        const text = sent.map((one) => one.text + one.headers).join()
        assert.ok(!text.includes(SECRET) && !outcome.includes(SECRET), world)
      }
    })
  })
}
