import { createHash } from 'node:crypto'
import signal from '../../services/signals/tool-reentrancy/signal.ts'
import type { GrainRow } from '../worlds/grain-rows.ts'
import { foldRows, ofAll, readJsonLines, readText, type RealRow } from './real-rows.ts'

/** Recorded runs of agents: the one that is stuck, and those that repeat a call and get on. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
/** Between calls where the recording has no times. */
const STEP_MS = 4000
/** The same call with the same result this often is stuck; the convention of agents' own guards. */
const STUCK_REPEATS = 3

/** `result` null: not recorded. */
type Call = { name: string; args: string; result: string | null; ms?: number }

const hash = (text: string): string => createHash('sha1').update(text).digest('hex')

type Message = {
  content?: string
  tool_call_id?: string
  tool_calls?: { id: string; function: { name: string; arguments: string } }[] | null
}

const tauRuns = (): Call[][] =>
  readJsonLines<{ traj: Message[] }>('agent-trajectories/tau-bench-gpt-4o-airline.jsonl.gz').map(
    ({ traj }) => {
      const results = new Map(traj.map(({ tool_call_id: id, content }) => [id, content ?? '']))
      return traj
        .flatMap(({ tool_calls: calls }) => calls ?? [])
        .map(({ id, function: { name, arguments: args } }) => ({
          name,
          args: hash(args),
          result: hash(results.get(id) ?? '')
        }))
    }
  )

type Step = { timestamp: string; action?: string; function: string | null; args_sha: string | null }

const openHandsRuns = (): Call[][] =>
  readJsonLines<{ history: Step[] }>('agent-trajectories/openhands-multi-swe-bench.jsonl.gz').map(
    ({ history }) =>
      history.flatMap(({ timestamp, action, function: name, args_sha: args }) =>
        action === undefined || name === null || args === null
          ? []
          : [{ name, args, result: null, ms: Date.parse(`${timestamp}Z`) }]
      )
  )

const SWE_AGENT = ['pydicom__pydicom-1458', 'swe-agent__test-repo-i1'] as const

const sweAgentRuns = (): Call[][] =>
  SWE_AGENT.map((name) => {
    const text = readText(`agent-trajectories/swe-agent/${name}.traj.json.gz`)
    const { trajectory } = JSON.parse(text) as {
      trajectory: { action: string; observation: string }[]
    }
    return trajectory.map(({ action, observation }) => ({
      name: action.split(/\s/)[0] ?? '',
      args: hash(action),
      result: hash(observation)
    }))
  })

const rowsOf = (calls: readonly Call[], index: number): GrainRow[] =>
  calls.map(({ name, args, result, ms }, n) => ({
    tenant: 'agents',
    kind: 'tool',
    name,
    trace: `c${index}`,
    args,
    result,
    time_ms: ms ?? START_MS + index * MINUTE_MS + n * STEP_MS,
    id: `${index}-${String(n).padStart(3, '0')}`
  }))

/** How often the most frequent call came with the same result, and with any. */
const repeatsOf = (calls: readonly Call[], key: (call: Call) => string): number => {
  const times = new Map<string, number>()
  for (const call of calls) times.set(key(call), (times.get(key(call)) ?? 0) + 1)
  return Math.max(0, ...times.values())
}

const judge = (data: string, runs: readonly Call[][]): RealRow => {
  const told = new Set(
    foldRows(signal, runs.flatMap(rowsOf)).map(({ scope }) => String(scope['trace']))
  )
  const isStuck = (calls: readonly Call[]): boolean =>
    repeatsOf(calls, ({ name, args, result }) => `${name} ${args} ${result}`) >= STUCK_REPEATS
  const all = runs.map((calls, index) => ({
    isTold: told.has(`c${index}`),
    isStuck: isStuck(calls),
    isRepeated: repeatsOf(calls, ({ name, args }) => `${name} ${args}`) > 1
  }))
  const stuck = all.filter((one) => one.isStuck)
  const sound = all.filter((one) => !one.isStuck)
  const repeated = sound.filter((one) => one.isRepeated)
  const silent = (some: typeof all): string =>
    ofAll(some.filter(({ isTold }) => !isTold).length, some.length)
  return {
    data: `${data}, ${runs.flat().length} tool calls`,
    signal: 'tool-reentrancy',
    told: `${ofAll(stuck.filter(({ isTold }) => isTold).length, stuck.length)} runs with a call that gave the same ${STUCK_REPEATS} times`,
    silent: `${silent(sound)} others; ${silent(repeated)} with an exact repeat`
  }
}

export const scoreAgents = (): RealRow[] => [
  judge('tau-bench', tauRuns()),
  judge('OpenHands', openHandsRuns()),
  judge('SWE-agent', sweAgentRuns())
]
