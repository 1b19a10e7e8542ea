import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const LOADER = import.meta.resolve('tsx')
const at = (place: string): string => fileURLToPath(new URL(`../../${place}`, import.meta.url))

/** The command line before a `tally`'s arguments, for `sh`. */
const commandLine = (packed: string | undefined): string =>
  packed === undefined
    ? `"${process.execPath}" --disable-warning=ExperimentalWarning --import "${LOADER}" "${at('services/cli/main.ts')}"`
    : `"${process.execPath}" "${at(path.join(packed, 'package/dist/services/cli/main.js'))}"`

/**
 * A `tally` in a folder for the path, as an installed one: that of the package where the suite made
 * one (`TALLY_PACKED`, from the root), which starts in half the time; else that of the sources.
 * `up` listens on `port` where one is given.
 */
export const writeTally = async (
  bin: string,
  env: Readonly<Record<string, string | undefined>>,
  port: number | null = null
): Promise<void> => {
  await mkdir(bin)
  const tally = commandLine(env['TALLY_PACKED'])
  const up = port === null ? '' : `[ "$1" = up ] && exec ${tally} "$@" --port ${port}\n`
  await writeFile(path.join(bin, 'tally'), `#!/bin/sh\n${up}exec ${tally} "$@"\n`)
  await chmod(path.join(bin, 'tally'), 0o755)
}
