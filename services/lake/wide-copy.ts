import { Failure } from '../../schemas/failure.ts'

const isShortOfMemory = (error: unknown): boolean =>
  error instanceof Failure && error.message.startsWith('Out of Memory')

/**
 * Runs one statement that leaves nothing behind when it fails, as a copy of rows does. Each thread
 * holds thousands of rows at a time: where they are too wide for several, one of them does it.
 * @throws Failure E_SQL
 */
export const copyRows = async (
  run: (sql: string) => Promise<void>,
  threads: number,
  sql: string
): Promise<void> => {
  try {
    await run(sql)
  } catch (error) {
    if (threads === 1 || !isShortOfMemory(error)) throw error
    await run('SET threads = 1')
    try {
      await run(sql)
    } finally {
      await run(`SET threads = ${threads}`)
    }
  }
}
