import v8 from 'node:v8'
import { Failure } from '../../schemas/failure.ts'
import type { Target } from './target.ts'

/** CPU that one input of at most 16 KiB may take: real ones take under a millisecond. */
const CPU_MS_MAX = 1_000
/** Wall time after which the CPU is looked at; a busy machine is slow by itself. */
const LOOK_MS = 250
/** Memory that one input may leave behind: what a codec may unpack, and as much again. */
const BYTES_MAX = 160 * 1024 * 1024

/** Runs one input. @returns what is wrong with the decoder, or null. */
export const judge = async (target: Target, input: Buffer): Promise<string | null> => {
  const memoryBefore = memoryBytes()
  const startedMs = performance.now()
  const fault = await faultOf(target, input)
  if (fault !== null) return fault
  if (performance.now() - startedMs > LOOK_MS) {
    const cpuMs = await cpuMsOf(target, input)
    if (cpuMs > CPU_MS_MAX) return `slow: ${Math.round(cpuMs)} ms of CPU for ${input.length} bytes`
  }
  const bytes = memoryBytes() - memoryBefore
  return bytes > BYTES_MAX ? `memory: ${bytes} bytes for ${input.length}` : null
}

const memoryBytes = (): number => {
  const { used_heap_size, external_memory } = v8.getHeapStatistics()
  return used_heap_size + external_memory
}

const faultOf = async (target: Target, input: Buffer): Promise<string | null> => {
  try {
    await target.run(input)
    return null
  } catch (error) {
    if (error instanceof Failure && target.refuses.includes(error.code)) return null
    return error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`
  }
}

const cpuMsOf = async (target: Target, input: Buffer): Promise<number> => {
  const before = process.cpuUsage()
  await faultOf(target, input)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
