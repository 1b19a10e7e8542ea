import { readFile } from 'node:fs/promises'
import { checkEntries, readAlertConfig } from '../../../jobs/alert/config.ts'
import { loadChannels } from '../../../jobs/alert/load-channels.ts'
import { Failure } from '../../../schemas/failure.ts'
import { leaseHolders } from '../../lake/lease.ts'
import type { Check } from './check.ts'
import type { Patient } from './patient.ts'

/** Clocks that NTP keeps differ by less. */
export const SKEW_MS_MAX = 5_000
export const MS_PER_S = 1_000

const lake: Check<Patient> = {
  name: 'lake',
  needs: ['duckdb', 'folder'],
  fix: 'Look for damage with tally scrub, and restore what it names from a backup.',
  look: async (patient) => {
    const { version, files } = await (await patient.site()).lake.head()
    const count = [...files.values()].reduce((sum, byPath) => sum + byPath.size, 0)
    return `version ${version}, ${count} files`
  }
}

const tables: Check<Patient> = {
  name: 'tables',
  needs: ['lake'],
  fix: 'Only this product may write to the lake: remove the commit of another program.',
  look: async (patient) => {
    await (await patient.site()).lake.rollForward()
    return 'every table follows what was decided'
  }
}

const lakeClock: Check<Patient> = {
  name: 'clock of the lake',
  needs: ['lake'],
  fix: 'Set the clocks of all machines that share the lake by NTP.',
  look: async (patient) => {
    const { timestampMs } = await (await patient.site()).lake.fold()
    const aheadMs = timestampMs - patient.nowMs
    if (aheadMs <= SKEW_MS_MAX) return 'no commit lies in the future'
    const ahead = Math.round(aheadMs / MS_PER_S)
    throw new Failure('E_USAGE', `the last commit lies ${ahead} s in the future`)
  }
}

const leases: Check<Patient> = {
  name: 'leases',
  needs: ['lake'],
  fix: 'Remove the folder _leases of the lake: leases only save work.',
  look: async (patient) => {
    const { files } = (await patient.site()).lake.doors
    const held = await leaseHolders(files, patient.nowMs)
    if (held.length === 0) return 'none is held: no tally up runs on this lake'
    return held
      .map(({ name, untilMs }) => `${name} for ${secondsFrom(untilMs, patient.nowMs)} s more`)
      .join(', ')
  }
}

const secondsFrom = (untilMs: number, nowMs: number): number =>
  Math.ceil((untilMs - nowMs) / MS_PER_S)

export const lakeChecks = [lake, tables, lakeClock, leases]

export const alertConfig: Check<Patient> = {
  name: 'alert config',
  fix: 'Correct the file; jobs/alert/README.md has an example.',
  look: async ({ alertConfig: file }) => {
    if (file === null) return null
    const config = readAlertConfig(await readFile(file, 'utf8'), file)
    const entries = checkEntries(config, await loadChannels())
    if (entries.length === 0) return `${file} has no channels`
    return entries.map(({ name, kind }) => `${name} (${kind})`).join(', ')
  }
}
