import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pino from 'pino'
import type { Finding } from '../../../schemas/finding.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import type { DemoPart } from '../demo/run.ts'
import { loadScenes } from '../demo/company.ts'
import { runRecording } from '../demo/run.ts'
import type { Scene } from '../demo/scene.ts'
import type { Recording } from '../demo/sessions.ts'
import { showPage } from '../demo/show-page.ts'

const MS_PER_S = 1000

export default defineCommand({
  summary: 'Send two hours of usage through the whole pipeline and show what it finds.',
  configure: (command) => {
    command
      .option('--data <dir>', 'folder to keep the tables in; a temporary one by default')
      .option('--no-open', 'end after the story; do not show the page')
  },
  run: async ({ options, io }) => {
    const startedMs = io.now().getTime()
    const folder =
      typeof options['data'] === 'string'
        ? options['data']
        : await mkdtemp(path.join(tmpdir(), 'tally-demo-'))
    const doors = { logger: pino({ level: 'silent' }), nowMs: () => io.now().getTime() }
    const run = (recording: Recording, signal?: AbortSignal): Promise<DemoPart> =>
      runRecording(folder, recording, { ...doors, ...(signal === undefined ? {} : { signal }) })
    const seconds = (): number => (io.now().getTime() - startedMs) / MS_PER_S
    const shifted = await run('shifted')
    if (options['json'] === true) {
      const parts = [shifted, await run('control')]
      printJson(io, parts, seconds())
      return EXIT.ok
    }
    print(io, await story(shifted, seconds()))
    const compare = async (signal?: AbortSignal): Promise<void> =>
      print(io, comparison(await run('control', signal)))
    if (options['open'] === false) await compare()
    else await showPage(shifted.data, io, compare)
    return EXIT.ok
  }
})

const print = (io: CommandIo, lines: readonly string[]): void =>
  void io.stdout.write(`${lines.join('\n')}\n`)

const printJson = (io: CommandIo, parts: readonly DemoPart[], seconds: number): void => {
  const sum = (of: (part: DemoPart) => number): number =>
    parts.reduce((total, part) => total + of(part), 0)
  const findings = parts.flatMap((part) => part.findings)
  const runs = Object.fromEntries(
    parts.map(({ recording, events, windows, settledHours, findings: found, data }) => [
      recording,
      { events, windows, settled_hours: settledHours, findings: found.length, data }
    ])
  )
  const result = { events: sum((part) => part.events), windows: sum((part) => part.windows) }
  io.stdout.write(`${JSON.stringify({ ...result, findings, seconds, runs })}\n`)
}

const story = async (shifted: DemoPart, seconds: number): Promise<string[]> => [
  `${shifted.events} events of two hours: 25 real coding sessions of four tenants that share a prompt`,
  'cache, and apps of nine more. What goes wrong in them:',
  '',
  ...troubles(await loadScenes()).map((line) => `  ${line}`),
  '',
  'What the signals found, with nothing set:',
  '',
  ...part(shifted),
  '',
  `Done in ${seconds.toFixed(1)} s. The tables are Delta Lake tables in`,
  `  ${shifted.data}/lake`,
  'Look at them with any engine, or with',
  `  tally sql "SELECT tenant, sum(cache_h) / sum(cache_w) AS hit_rate FROM windows GROUP BY 1" --data ${shifted.data}`,
  `  tally sql "SELECT summary FROM findings" --data ${shifted.data}`,
  `Remove them with  rm -r ${path.dirname(shifted.data)}`
]

const troubles = (scenes: readonly Scene[]): string[] =>
  [
    '09:30  tenant-a begins to put something unique at the top of every prompt.',
    ...scenes.map(({ says }) => says)
  ].sort()

const comparison = (control: DemoPart): string[] => [
  '',
  'The same two hours with nothing wrong in them:',
  '',
  ...part(control)
]

const part = ({ events, windows, settledHours, findings }: DemoPart): string[] => [
  `  ${events} events → log → ${windows} windows of a minute → ${settledHours} settled hours`,
  ...(findings.length === 0 ? ['  no findings'] : openings(findings).map(sentence))
]

/** The first word on each incident; later ones only refresh it. */
const openings = (findings: readonly Finding[]): Finding[] =>
  findings.filter(
    ({ fingerprint }, index) =>
      findings.findIndex((one) => one.fingerprint === fingerprint) === index
  )

const sentence = (finding: Finding): string =>
  `  ${finding.detected_at.slice(11, 16)} ${finding.status} ${finding.signal}: ${finding.summary}`
