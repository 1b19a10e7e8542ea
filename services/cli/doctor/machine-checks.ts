import { randomUUID } from 'node:crypto'
import { link, open, rm, statfs } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../../../schemas/failure.ts'
import { Engine } from '../../lake/engine.ts'
import type { Check } from './check.ts'
import type { Patient } from './patient.ts'

/** The first Node whose features are all used. */
const NODE_MIN = [20, 19] as const
/** A quarter of an hour at full speed, so that there is time to act. */
const FREE_BYTES_MIN = 1 << 30
const BYTES_PER_GB = 1e9

const node: Check<Patient> = {
  name: 'node',
  fix: `Install Node ${NODE_MIN.join('.')} or newer.`,
  look: async () => {
    const { node: version } = process.versions
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const [majorMin, minorMin] = NODE_MIN
    if (major > majorMin || (major === majorMin && minor >= minorMin)) return `Node ${version}`
    throw new Failure('E_USAGE', `Node ${version} is too old`)
  }
}

const duckdb: Check<Patient> = {
  name: 'duckdb',
  fix: 'Install again with npm ci: the binary does not fit this machine or this build.',
  // Opening proves that strings written by their memory layout come back as they went in.
  look: async () => {
    const engine = await Engine.open()
    engine.close()
    return `DuckDB ${Engine.version} works`
  }
}

const folder: Check<Patient> = {
  name: 'folder',
  fix: 'Give --data an existing folder that this user may write to, on a file system with hard links.',
  look: async ({ place: { data } }) => {
    const file = path.join(data, `.doctor-${randomUUID()}`)
    try {
      await writeDurably(file)
      await link(file, `${file}-link`)
    } catch (cause) {
      throw new Failure('E_USAGE', `${data}: ${(cause as Error).message}`, { cause })
    } finally {
      for (const name of [file, `${file}-link`]) await rm(name, { force: true })
    }
    return `${data} takes files, hard links and fsync`
  }
}

const writeDurably = async (file: string): Promise<void> => {
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile('doctor')
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const disk: Check<Patient> = {
  name: 'disk',
  fix: 'Free space on the device: tally retain removes what nothing refers to any more.',
  needs: ['folder'],
  look: async ({ place: { data } }) => {
    const { bavail, bsize } = await statfs(data)
    const free = `${((bavail * bsize) / BYTES_PER_GB).toFixed(1)} GB free`
    if (bavail * bsize >= FREE_BYTES_MIN) return free
    throw new Failure('E_DISK_FULL', free)
  }
}

export const machineChecks = [node, duckdb, folder, disk]
