import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../suite/free-port.ts'

/** A Kafka node of its own for a test suite, driven by the scripts beside this file. */
export type Broker = {
  /** Which cluster it is of, and where its controller is: `id@host:port`. */
  cluster: { id: string; controller: string }
  /** Address for clients: `host:port`. */
  brokers: string
  dataDir: string
  /** Ends the node in good order. */
  stop: () => Promise<void>
  /** Ends the node as a power cut of its process would (SIGKILL); its data stay. */
  kill: () => Promise<void>
  /** Stops the node's process where it stands (SIGSTOP), as a hung machine would. */
  freeze: () => Promise<void>
  thaw: () => Promise<void>
  /** Starts the node again, on the same data and address. */
  restart: () => Promise<void>
  /** Runs a Java class of the fetched jars, with text on its standard input. */
  runJava: (className: string, args: string[], input?: string) => Promise<string>
}

export type BrokerOptions = {
  /** Port for clients; a free one when not given. */
  port?: number
  /** Kept after `stop` when given; else a temporary folder that goes with it. */
  dataDir?: string
  heap?: string
  /** Port that clients are told to connect to: a proxy's before the node. */
  advertisedPort?: number
  /** A cluster that runs, and the node's number in it; else the node is a cluster of its own. */
  joins?: { cluster: Broker['cluster']; nodeId: number }
  /** Silence after which the controller takes a broker for dead. */
  sessionMs?: number
}

const HOST = '127.0.0.1'
/** Of a node that is a cluster of its own. */
const NODE_ID = 1
/** Enough for a few topics of test data, small beside everything else on a laptop. */
const HEAP = '384m'
/** Compiling less and collecting on one thread starts the node in half the CPU time. */
const JAVA_OPTIONS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
const EXIT_POLL_MS = 20

const folder = fileURLToPath(new URL('./', import.meta.url))
const run = promisify(execFile)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/**
 * Why the Kafka tier can not run here; false when it can, so that it fits `skip` of a test.
 * @throws Error in continuous integration (`CI=true`), where a skipped tier would go unnoticed.
 */
export const skipKafka = (env: Readonly<Record<string, string | undefined>>): string | false => {
  const missing = ['java', 'mvn'].filter((tool) => spawnSync(tool, ['-version']).status !== 0)
  if (missing.length === 0) return false
  const reason = `${missing.join(' and ')} not installed: the Kafka tier needs Java 17 and Maven`
  if (env['CI'] === 'true') throw new Error(reason)
  return reason
}

/** Starts a node and resolves once it answers. The jars are fetched first when they are not there. */
export const startBroker = async (options: BrokerOptions = {}): Promise<Broker> => {
  const port = options.port ?? (await freePort())
  const controllerPort = await freePort()
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tallystream-kafka-')))
  const settings = [
    `KAFKA_HOST=${HOST}`,
    `KAFKA_PORT=${port}`,
    `KAFKA_ADVERTISED_PORT=${options.advertisedPort ?? port}`,
    `KAFKA_CONTROLLER_PORT=${controllerPort}`,
    `KAFKA_DATA=${dataDir}`,
    `KAFKA_HEAP=${options.heap ?? HEAP}`,
    `KAFKA_JAVA_OPTIONS=${JAVA_OPTIONS}`,
    ...(options.sessionMs === undefined ? [] : [`KAFKA_BROKER_SESSION_MS=${options.sessionMs}`]),
    ...(options.joins === undefined ? [] : joining(options.joins))
  ]
  const script = (name: string) => run('env', [...settings, join(folder, name)])
  const signal = async (name: NodeJS.Signals): Promise<number> => {
    const pid = Number(await readFile(join(dataDir, 'node.pid'), 'utf8'))
    process.kill(pid, name)
    return pid
  }
  const restart = async () => void (await script('start.sh'))
  await restart()
  return {
    cluster: options.joins?.cluster ?? {
      id: await clusterId(dataDir),
      controller: `${NODE_ID}@${HOST}:${controllerPort}`
    },
    brokers: `${HOST}:${port}`,
    dataDir,
    restart,
    stop: async () => {
      await script('stop.sh')
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
    kill: async () => {
      const pid = await signal('SIGKILL')
      while (isAlive(pid)) await sleep(EXIT_POLL_MS)
    },
    freeze: async () => {
      const pid = await signal('SIGSTOP')
      while (!(await isStopped(pid))) await sleep(EXIT_POLL_MS)
    },
    thaw: async () => void (await signal('SIGCONT')),
    runJava: (className, args, input) => runJava([className, ...args], input)
  }
}

const joining = ({ cluster, nodeId }: NonNullable<BrokerOptions['joins']>): string[] => [
  `KAFKA_NODE_ID=${nodeId}`,
  `KAFKA_JOINS=${cluster.controller}`,
  `KAFKA_CLUSTER_ID=${cluster.id}`
]

/** @throws Error when the node wrote none. */
const clusterId = async (dataDir: string): Promise<string> => {
  const text = await readFile(join(dataDir, 'records', 'meta.properties'), 'utf8')
  const id = /^cluster\.id=(.+)$/m.exec(text)?.[1]
  if (id === undefined) throw new Error(`no cluster id in ${dataDir}/records/meta.properties`)
  return id
}

/** Whether every thread stands still: one that runs on for a moment still answers. */
const isStopped = async (pid: number): Promise<boolean> => {
  const { stdout } = await run('ps', ['-L', '-o', 'state=', '-p', String(pid)])
  return stdout.split('\n').every((state) => state === '' || state.startsWith('T'))
}

const runJava = async (command: string[], input = ''): Promise<string> => {
  const options = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(folder, 'lib', '*')]
  const job = run('java', [...options, ...command], { maxBuffer: OUTPUT_BYTES_MAX })
  job.child.stdin?.end(input)
  const { stdout } = await job
  return stdout
}
