/** One fault of the table in `infra/FAULTS.md`. */
export type Fault = {
  /** Kept for good. */
  number: number
  fault: string
  /** How the tests bring it about. */
  injected: string
  /** What the product promises when it happens. */
  promise: string
  /** Tests that inject it: file and the text of the title. Empty = not shown. */
  shown: readonly { file: string; title: string }[]
  /** What the tests leave out. */
  limits?: string
}

/** Shown by one test. */
export const one = (file: string, title: string): Fault['shown'] => [{ file, title }]

/** Files of tests that show several faults. */
export const BITS = 'infra/faults/flipped-bits.system.test.ts'
export const CRASH = 'infra/faults/crash.system.test.ts'
export const GROUP = 'infra/faults/group.kafka.test.ts'
export const HOSTILE = 'infra/faults/hostile.system.test.ts'
export const KAFKA = 'infra/faults/kafka.kafka.test.ts'
export const LEADER = 'infra/faults/leader.kafka.test.ts'
export const LOST = 'infra/faults/lost-records.system.test.ts'
export const NETWORK = 'infra/faults/network.kafka.test.ts'
export const RESOURCES = 'infra/faults/resources.system.test.ts'
export const SIM = 'infra/sim/simulate.test.ts'
export const SUMMER = 'infra/faults/summer-time.system.test.ts'
export const STREAM = 'services/stream/kafka/kafka.kafka.test.ts'
