import { createRequire } from 'node:module'
import type * as Api from '@duckdb/node-api'

/**
 * DuckDB's interface in objects. It comes by `require`: an import has Node look through its 150 files
 * for their exports first, an eighth of a second more at every start and in every thread.
 */
export const api = createRequire(import.meta.url)('@duckdb/node-api') as typeof Api
