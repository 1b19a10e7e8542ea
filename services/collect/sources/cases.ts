import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { configureSource } from './configure.ts'
import type { LoadedSource } from './load.ts'
import type { Message } from './source.ts'

/**
 * A case of a source: a message and what becomes of it: the native events
 * (as they are written, before normalisation) and the faults by code and field.
 */
const Case = z.strictObject({
  /** A sentence that says what the case shows. */
  shows: z.string().min(10),
  media_type: z.string().nullish(),
  door: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  tenant: z.string().nullish(),
  /** Options of the dialect; a value that begins with `./` is a path beside the case. */
  options: z.record(z.string(), z.string()).nullish(),
  /** The message: text as it is, base64 for binary, or a JSON value. */
  text: z.string().nullish(),
  base64: z.string().nullish(),
  json: z.unknown().optional(),
  events: z.array(z.record(z.string(), z.unknown())),
  faults: z.array(z.strictObject({ code: z.string(), field: z.string().nullish() })),
  ignored: z.int().default(0)
})
export type Case = z.infer<typeof Case>

/** When the cases are read. */
export const CASE_NOW_MS = Date.parse('2026-11-24T12:00:00Z')
const HERE = new URL('./', import.meta.url)

export const bytesOf = ({ text, base64, json }: Case): Buffer => {
  if (typeof text === 'string') return Buffer.from(text)
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  return Buffer.from(JSON.stringify(json))
}

export const messageOf = (one: Case): Message => ({
  bytes: bytesOf(one),
  mediaType: one.media_type ?? null,
  door: one.door ?? null,
  headers: one.headers ?? {},
  tenant: one.tenant ?? null
})

/** The source as the case configures it, and what it fetched for the message. */
export const sourceFor = async (source: LoadedSource, one: Case): Promise<LoadedSource> => {
  const options = Object.entries(one.options ?? {}).map(([name, value]) => [
    name,
    value.startsWith('./') ? fileURLToPath(new URL(`${source.id}/cases/${value}`, HERE)) : value
  ])
  const configured = await configureSource(source, Object.fromEntries(options))
  await configured.prepare?.(messageOf(one))
  return configured
}

export const readCases = async (id: string): Promise<(Case & { file: string })[]> => {
  const folder = new URL(`${id}/cases/`, HERE)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    files.map(async (file) => ({
      file,
      ...Case.parse(JSON.parse(await readFile(new URL(file, folder), 'utf8')))
    }))
  )
}
