import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Failure } from '../../../schemas/failure.ts'
import { checkClaims, type ClaimCheck } from '../../rates/energy/claim-checks.ts'
import { reproduceClaims, type Claims } from '../../rates/energy/claims.ts'
import { answerEstimateLine, ESTIMATE_FIELDS } from '../../rates/energy/estimate-line.ts'
import { parseReferenceRows } from '../../rates/energy/reference-rows.ts'
import { defineCommand, EXIT, type CommandIo, type CommandRun } from '../command.ts'
import { runMeter } from '../energy/meter.ts'
import { runReport } from '../energy/report.ts'

const REFERENCE_ROWS = new URL('../../../infra/energy/reference/rows.csv', import.meta.url)

/** `tally energy estimate`, `claims`, `meter` and `report`. */
export default defineCommand({
  summary: 'Estimate, measure and report the energy of calls.',
  configure: (command) => {
    command
      .argument('<action>', 'estimate, claims, meter or report')
      .argument('[files...]', 'meter: scrapes, query answers or tables of readings, or addresses')
      .option('--ndjson', 'estimate: one JSON object a line on stdin, one answer a line')
      .option('--data <dir>', 'meter, report: folder of the lake')
      .option('--host <name>', 'meter: host of readings that name none')
      .option('--at <time>', 'meter: when a scrape without times was taken')
      .option('--idle-watts <watts>', 'meter: idle power of one GPU; learned without it')
      .option('--by <what>', 'report: tenant (default), model, task or host')
      .option('--from <time>', 'report: first moment; all time without it')
      .option('--to <time>', 'report: end, exclusive; now without it')
      .option('--limit <count>', 'report: groups that are told, most energy first; 100')
      .option('--pass-score <score>', 'report: judged score from which a task passed; 0.5')
      .option('--intensity <file>', 'report: carbon by hour, CSV of zone,ts,g_per_kwh,basis')
      .option('--zone <zone>', 'report: grid zone of calls whose region is not known')
  },
  run: async (call) => {
    const name = String(call.args[0])
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    if (action !== undefined) return action(call)
    throw new Failure('E_USAGE', `energy: "${name}" is not an action`, {
      hint: `Use ${Object.keys(ACTIONS).join(', ')}.`
    })
  }
})

const estimate = async ({ io }: CommandRun): Promise<number> => {
  const unknown = new Set<string>()
  let code: number = EXIT.ok
  let lineNumber = 0
  for await (const text of createInterface({ input: io.stdin, crlfDelay: Infinity })) {
    lineNumber += 1
    if (text.trim() === '') continue
    const answer = answerText(text, unknown)
    if ('error' in answer) {
      code = EXIT.failure
      io.stderr.write(`line ${lineNumber}: ${answer.error.message}\n`)
    }
    await write(io, `${JSON.stringify(answer)}\n`)
  }
  if (unknown.size > 0) {
    io.stderr.write(`ignored: ${[...unknown].join(', ')}; known: ${ESTIMATE_FIELDS.join(', ')}\n`)
  }
  return code
}

type Refusal = { error: { code: string; message: string } }

// A line that can not be answered is answered by its error, so that lines keep their order.
const answerText = (
  text: string,
  unknown: Set<string>
): ReturnType<typeof answerEstimateLine> | Refusal => {
  try {
    const value: unknown = JSON.parse(text)
    for (const name of Object.keys(Object(value) as object)) {
      if (!ESTIMATE_FIELDS.includes(name)) unknown.add(name)
    }
    return answerEstimateLine(value)
  } catch (error) {
    if (error instanceof Failure) return { error: { code: error.code, message: error.message } }
    if (error instanceof SyntaxError) {
      return { error: { code: 'E_USAGE', message: `not JSON: ${text.slice(0, 80)}` } }
    }
    throw error
  }
}

const write = async (io: CommandIo, text: string): Promise<void> => {
  if (!io.stdout.write(text)) await new Promise((resolve) => io.stdout.once('drain', resolve))
}

const claims = async ({ io, options }: CommandRun): Promise<number> => {
  const rows = parseReferenceRows(await readFile(REFERENCE_ROWS, 'utf8'))
  const found = reproduceClaims(rows)
  const checks = checkClaims(found)
  const text = `${checks.map(checkText).join('')}\n${claimsText(found)}`
  io.stdout.write(options['json'] === true ? `${JSON.stringify({ checks, ...found })}\n` : text)
  return checks.every(({ holds }) => holds) ? EXIT.ok : EXIT.failure
}

const checkText = ({ claim, basis, expected, seen, low, high, holds }: ClaimCheck): string =>
  `${holds ? '✓' : '✗'} ×${expected} expected, ×${seen.toFixed(2)} seen ` +
  `(${times(low)} to ${times(high)}, ${basis}): ${claim}\n`

const times = (value: number): string => `×${value.toFixed(1)}`

const claimsText = ({ modelTier, batch, cacheHit, cacheThrash }: Claims): string =>
  [
    'Model tier, 405B against 8B at equal batch (measured; claim: 30×)',
    ...modelTier.map(
      (claim) =>
        `  ${claim.gpu}, batch ${claim.batch}: ${times(claim.perTokenRatio)} per token, ` +
        `${times(claim.perRequestRatio)} per request`
    ),
    'Batch (measured; claim: 4×)',
    ...batch.map(
      (claim) =>
        `  ${claim.from} to ${claim.to}: ${times(claim.ratioMedian)} ` +
        `(${times(claim.ratioP10)} to ${times(claim.ratioP90)}, ${claim.configurations} configurations)`
    ),
    'Cache hit, 70B at batch 64 (model; claim: up to 10×); by cost of a cached token',
    ...cacheHit.map(
      (claim) =>
        `  ${claim.input} in, ${claim.out} out, ${claim.hitShare * 100} % hit: ` +
        `${ratios(claim.ratioByCachedShare)}; ${claim.verdict}`
    ),
    `Cache thrash, hit rate ${cacheThrash.hitBefore * 100} % to ${cacheThrash.hitAfter * 100} % ` +
      '(model; claim: 1.85×)',
    ...Object.entries(cacheThrash.byCachedShare).map(
      ([share, claim]) =>
        `  cached token at ${share}: ${claim.joulesBefore.toFixed(0)} J to ` +
        `${claim.joulesAfter.toFixed(0)} J, ×${claim.ratio.toFixed(2)}`
    ),
    ''
  ].join('\n')

const ratios = (byShare: Record<string, number>): string =>
  Object.entries(byShare)
    .map(([share, ratio]) => `${times(ratio)} at ${share}`)
    .join(', ')

const ACTIONS: Readonly<Record<string, (call: CommandRun) => Promise<number>>> = {
  estimate,
  claims,
  meter: runMeter,
  report: runReport
}
