import path from 'node:path'
import { readFindings } from '../../../jobs/alert/findings.ts'
import { Failure } from '../../../schemas/failure.ts'
import { loadPolicies } from '../../flight/policy.ts'
import { settleFlights } from '../../flight/recorder.ts'
import { replayFlight, type Step } from '../../flight/replay.ts'
import { openFlightStore } from '../../flight/store.ts'
import { runReadOnly } from '../../lake/read-only.ts'
import { attach } from '../../lake/snapshot.ts'
import { defineCommand, EXIT, type CommandIo, type CommandRun } from '../command.ts'
import { flightFolder, openLakeSite, type LakeSite } from '../site.ts'

const ACTIONS = ['show', 'settle'] as const

export default defineCommand({
  summary: 'Show step by step what happened in a trace; keep and forget recorded flights.',
  configure: (command) => {
    command
      .argument('<action>', 'show TRACE, or settle: keep what findings are about, forget the rest')
      .argument('[trace]', 'trace id')
      .requiredOption('--data <dir>', 'folder of the lake and of recorded flights')
      .option('--tenant <name>', 'only this tenant')
      .option('--policy <file>', 'with settle: YAML file of what is recorded for whom')
  },
  run: async (call) => {
    const [action, trace] = call.args
    const site = await openLakeSite({ data: dataOf(call) })
    try {
      if (action === 'show' && trace !== undefined) return await show(site, call, trace)
      if (action === 'settle') return await settle(site, call)
    } finally {
      site.close()
    }
    throw new Failure('E_USAGE', `flight ${call.args.join(' ')} is not known`, {
      hint: `Actions: ${ACTIONS.join(', ')}; show takes a trace id.`
    })
  }
})

const dataOf = ({ options }: CommandRun): string => String(options['data'])
const storeOf = (call: CommandRun) => openFlightStore(flightFolder({ data: dataOf(call) }))
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

const show = async (site: LakeSite, call: CommandRun, trace: string): Promise<number> => {
  await attach(site, await site.lake.head())
  const { tenant } = call.options as { tenant?: string }
  const whose = tenant === undefined ? '' : ` AND tenant = ${quoted(tenant)}`
  const { rows } = await runReadOnly(
    site,
    `SELECT epoch_ms(time)::DOUBLE AS time_ms, tenant, kind, name, id, span_id, parent_span_id,
       duration_ms::DOUBLE AS duration_ms, attempt::DOUBLE AS attempt,
       coalesce(response_model, request_model) AS model, temperature, status::DOUBLE AS status,
       error_type, in_total::DOUBLE AS in_total, in_cache_read::DOUBLE AS in_cache_read,
       out_total::DOUBLE AS out_total, stop_reason, verdict, system_prompt_hash, args_hash,
       result_hash, result_truncated, content_ref, cost_pico::DOUBLE / 1e12 AS cost_usd
     FROM events WHERE trace_id = ${quoted(trace)}${whose} ORDER BY time, id`
  )
  if (rows.length === 0) {
    throw new Failure('E_NOT_FOUND', `No step of trace ${trace} is in the lake`, {
      hint: 'A trace appears once its events are landed; see `tally doctor`.'
    })
  }
  const store = storeOf(call)
  const steps = replayFlight(rows as Step[], (owner, ref) => store.get(owner, ref))
  print(call.io, steps, call.options['json'] === true)
  return EXIT.ok
}

type Replayed = ReturnType<typeof replayFlight>

const print = (io: CommandIo, steps: Replayed, isJson: boolean): void => {
  for (const { step, depth, afterMs, content, missing, line } of steps) {
    if (isJson) {
      io.stdout.write(
        `${JSON.stringify({ ...step, depth, after_ms: afterMs, missing, content })}\n`
      )
      continue
    }
    const indent = '  '.repeat(depth)
    io.stdout.write(`${`+${afterMs} ms`.padStart(12)}  ${indent}${line}\n`)
    const under = `${' '.repeat(14)}${indent}  `
    if (missing.length > 0) io.stdout.write(`${under}missing: ${missing.join(', ')}\n`)
    for (const [name, text] of Object.entries(content ?? {})) {
      io.stdout.write(
        `${under}${name}: ${typeof text === 'string' ? text : JSON.stringify(text)}\n`
      )
    }
  }
}

const settle = async (site: LakeSite, call: CommandRun): Promise<number> => {
  const { policy } = call.options as { policy?: string }
  if (policy === undefined) {
    throw new Failure('E_USAGE', 'flight settle needs --policy FILE', {
      hint: `The file of \`tally up --flight\`; flights lie in ${path.basename(flightFolder({ data: '' }))}/.`
    })
  }
  const findings = await readFindings(site, { open: false })
  const done = settleFlights(storeOf(call), await loadPolicies(policy), {
    findings,
    nowMs: call.io.now().getTime()
  })
  const isJson = call.options['json'] === true
  const text = `${done.kept} flights kept for findings, ${done.forgotten} contents forgotten`
  call.io.stdout.write(`${isJson ? JSON.stringify(done) : text}\n`)
  return EXIT.ok
}
