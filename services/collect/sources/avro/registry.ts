import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../../../schemas/failure.ts'

/** A schema as a registry holds it, and the named types that it builds on, the deepest first. */
export type RegisteredSchema = { schema: unknown; references: unknown[] }

/** Where schemas are found by id. */
export type SchemaRegistry = {
  /**
   * @throws Failure E_SCHEMA_UNKNOWN when there is none, E_LOG_UNAVAILABLE (retriable) when the
   *   registry does not answer.
   */
  schema: (id: number) => Promise<RegisteredSchema>
}

const Reference = z.object({ name: z.string(), subject: z.string(), version: z.int() })
const Answer = z.object({
  schema: z.string(),
  schemaType: z.string().default('AVRO'),
  references: z.array(Reference).default([])
})
type Answer = z.infer<typeof Answer>

/** @param place URL of a Confluent-compatible registry, or a folder of `<id>.avsc` files. */
export const openRegistry = (place: string, authFile: string | null): SchemaRegistry =>
  /^https?:\/\//.test(place) ? new HttpRegistry(place, authFile) : folderRegistry(place)

const folderRegistry = (folder: string): SchemaRegistry => ({
  schema: async (id) => {
    const file = join(folder, `${id}.avsc`)
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (cause) {
      const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      throw isAbsent ? unknownId(id, file) : unreachable(file, cause)
    }
    return { schema: parsed(text, file), references: [] }
  }
})

/** Longer than any registry takes for one schema; a stalled one must not hold the topic for ever. */
const TIMEOUT_MS = 10_000
/** Schemas build on schemas; a ring of references would never end. */
const REFERENCES_MAX = 64

class HttpRegistry implements SchemaRegistry {
  readonly #base: string
  readonly #authFile: string | null

  constructor(base: string, authFile: string | null) {
    this.#base = base.replace(/\/+$/, '')
    this.#authFile = authFile
  }

  async schema(id: number): Promise<RegisteredSchema> {
    const answer = await this.#get(`/schemas/ids/${id}`)
    if (answer === null) throw unknownId(id, this.#base)
    if (answer.schemaType !== 'AVRO') {
      throw new Failure('E_SCHEMA_UNKNOWN', `schema ${id} is ${answer.schemaType}, not Avro`)
    }
    const references: unknown[] = []
    await this.#resolve(answer, references)
    return { schema: parsed(answer.schema, `schema ${id}`), references }
  }

  async #resolve({ references }: Answer, found: unknown[]): Promise<void> {
    for (const { name, subject, version } of references) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
      const answer = await this.#get(path)
      if (answer === null || found.length >= REFERENCES_MAX) {
        throw new Failure('E_SCHEMA_UNKNOWN', `the reference ${name} (${path}) is not there`)
      }
      await this.#resolve(answer, found)
      found.push(parsed(answer.schema, name))
    }
  }

  /** Null when the registry says that it has no such thing. */
  async #get(path: string): Promise<Answer | null> {
    const url = `${this.#base}${path}`
    let response: Response
    try {
      const headers = { accept: 'application/vnd.schemaregistry.v1+json', ...(await this.#auth()) }
      response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    } catch (cause) {
      throw unreachable(url, cause)
    }
    if (response.status === 404) return null
    if (!response.ok) throw unreachable(url, new Error(`it answers ${response.status}`))
    const answer = Answer.safeParse(await response.json().catch(() => null))
    if (!answer.success) throw unreachable(url, new Error('its answer is no schema'))
    return answer.data
  }

  /** Read each time, so that a rotated password needs no restart. */
  async #auth(): Promise<Record<string, string>> {
    if (this.#authFile === null) return {}
    const secret = (await readFile(this.#authFile, 'utf8')).trim()
    return { authorization: `Basic ${Buffer.from(secret).toString('base64')}` }
  }
}

const parsed = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    // Names of primitive types come bare: `string`.
    if (/^\s*[a-z]+\s*$/.test(text)) return text.trim()
    throw new Failure('E_SCHEMA_UNKNOWN', `${where} is not JSON`, { cause })
  }
}

const unknownId = (id: number, where: string): Failure =>
  new Failure('E_SCHEMA_UNKNOWN', `no schema has the id ${id} in ${where}`, {
    hint: 'Register the schema, or name the registry that the producer uses.'
  })

const unreachable = (where: string, cause: unknown): Failure =>
  new Failure('E_LOG_UNAVAILABLE', `the schema registry ${where}: ${(cause as Error).message}`, {
    cause,
    retriable: true
  })
