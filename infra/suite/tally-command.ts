import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const LOADER = import.meta.resolve('tsx')
const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))

/** A `tally` in a folder for the path, as an installed one; `up` listens on `port` where one is given. */
export const writeTally = async (bin: string, port: number | null = null): Promise<void> => {
  await mkdir(bin)
  const node = `"${process.execPath}" --disable-warning=ExperimentalWarning --import "${LOADER}" "${MAIN}"`
  const up = port === null ? '' : `[ "$1" = up ] && exec ${node} "$@" --port ${port}\n`
  await writeFile(path.join(bin, 'tally'), `#!/bin/sh\n${up}exec ${node} "$@"\n`)
  await chmod(path.join(bin, 'tally'), 0o755)
}
