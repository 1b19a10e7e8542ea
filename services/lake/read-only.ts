import { Failure } from '../../schemas/failure.ts'
import type { Engine } from './engine.ts'
import type { Lake } from './lake.ts'
import { quoted } from './parquet-writer.ts'

/**
 * Runs a query that comes from outside: it may read the lake's files and nothing else, and can't
 * change that, since the configuration is locked first. The engine serves queries only from then on.
 * @throws Failure E_SQL
 */
export const runReadOnly = async (
  { engine, lake }: { engine: Engine; lake: Lake },
  sql: string
): ReturnType<Engine['table']> => {
  if (sql.trim() === '') throw new Failure('E_USAGE', 'The query is empty')
  await engine.run(
    `SET allowed_directories = [${quoted(lake.doors.files.location(''))}];
     SET enable_external_access = false;
     SET lock_configuration = true`
  )
  // As a subquery it can only be a SELECT: no statement that writes fits into the parentheses.
  return engine.table(`SELECT * FROM (${sql.trim().replace(/;$/, '')}\n) AS query`)
}
