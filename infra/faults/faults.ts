import type { Fault } from './table/fault.ts'
import { CONSUMERS_FAULTS } from './table/consumers.ts'
import { FILES_FAULTS } from './table/files.ts'
import { JOBS_FAULTS } from './table/jobs.ts'
import { LOG_FAULTS } from './table/log.ts'
import { RECORDS_FAULTS } from './table/records.ts'

/** Faults of systems that meter from a log to tables, in the order of their numbers. */
export const FAULTS: readonly Fault[] = [
  ...CONSUMERS_FAULTS,
  ...LOG_FAULTS,
  ...RECORDS_FAULTS,
  ...FILES_FAULTS,
  ...JOBS_FAULTS
].sort((a, b) => a.number - b.number)
