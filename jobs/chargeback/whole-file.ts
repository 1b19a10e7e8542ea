import { rename, rm } from 'node:fs/promises'

/** Writes a file under a name that no glob of the others matches, then gives it its own. */
export const writeWhole = async (
  file: string,
  write: (unfinished: string) => Promise<void>
): Promise<void> => {
  const unfinished = `${file}.inprogress`
  try {
    await write(unfinished)
    await rename(unfinished, file)
  } finally {
    await rm(unfinished, { force: true })
  }
}
