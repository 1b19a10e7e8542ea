import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { RelayTopic } from './relay/relay-records.ts'
import { configureSource, missingOption } from './sources/configure.ts'
import { loadSource, loadSources, type LoadedSource } from './sources/load.ts'
import type { SourceOptions } from './sources/source.ts'

/**
 * The file of sources: how dialects are configured behind their HTTP paths, and which topics of
 * others are taken in. Paths in it are relative to the file.
 *
 * ```yaml
 * sources:
 *   avro: { registry: http://registry:8081 }
 * topics:
 *   - { topic: otlp_spans, as: otlp, tenant: acme }
 *   - { topic: calls, as: mapping, options: { map: ./calls.yaml } }
 * ```
 */
const Options = z.record(z.string(), z.string())
const SourcesFile = z.strictObject({
  sources: z.record(z.string(), Options).default({}),
  topics: z
    .array(
      z.strictObject({
        topic: z.string().min(1),
        as: z.string(),
        tenant: z.string().min(1).nullish(),
        options: Options.default({})
      })
    )
    .default([])
})

/** What a collector takes in: dialects over HTTP, and topics. */
export type Intakes = { sources: LoadedSource[]; topics: RelayTopic[] }

/** Every dialect that needs no option, and no topic. */
export const defaultIntakes = async (): Promise<Intakes> => ({
  sources: (await loadSources()).filter((source) => missingOption(source, {}) === null),
  topics: []
})

/** @throws Failure E_USAGE that names the file and what in it is wrong. */
export const loadIntakes = async (file: string): Promise<Intakes> => {
  const parsed = SourcesFile.safeParse(await readYaml(file))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Failure('E_USAGE', `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const { sources, topics } = parsed.data
  const twice = topics.find(
    ({ topic }, index) => topics.findIndex((one) => one.topic === topic) !== index
  )
  if (twice !== undefined)
    throw new Failure('E_USAGE', `${file}: topic ${twice.topic} stands twice`)
  return {
    sources: await httpSources(sources, file),
    topics: await Promise.all(
      topics.map(async ({ topic, as, tenant, options }) => ({
        topic,
        tenant: tenant ?? null,
        source: await configured(await loadSource(as), options, file)
      }))
    )
  }
}

const httpSources = async (
  options: Readonly<Record<string, SourceOptions>>,
  file: string
): Promise<LoadedSource[]> => {
  // Names that are no dialect are told as such.
  for (const id of Object.keys(options)) await loadSource(id)
  const all = await loadSources()
  const ready = all.filter(
    (source) => Object.hasOwn(options, source.id) || missingOption(source, {}) === null
  )
  return Promise.all(ready.map((source) => configured(source, options[source.id] ?? {}, file)))
}

/** Options that name files, which stand beside the file of sources. */
const PATHS = /^\.{1,2}\//

const configured = (
  source: LoadedSource,
  options: SourceOptions,
  file: string
): Promise<LoadedSource> => {
  const entries = Object.entries(options).map(([name, value]) => [
    name,
    PATHS.test(value) ? resolve(dirname(file), value) : value
  ])
  return configureSource(source, Object.fromEntries(entries) as SourceOptions)
}

const readYaml = async (file: string): Promise<unknown> => {
  try {
    return parse(await readFile(file, 'utf8')) ?? {}
  } catch (cause) {
    throw new Failure('E_USAGE', `${file}: ${(cause as Error).message}`, { cause })
  }
}
