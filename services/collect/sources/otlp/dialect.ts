import type { Candidate } from '../source.ts'
import type { UsageEvent } from '../../../../schemas/event.ts'
import type { Attributes } from './attributes.ts'

export type Kind = UsageEvent['kind']

/** Native fields that are plain text under one attribute name or another. */
export type TextField =
  | 'tenant'
  | 'project'
  | 'team'
  | 'user'
  | 'conversation_id'
  | 'request_id'
  | 'response_id'
  | 'provider'
  | 'request_model'
  | 'response_model'
  | 'service_tier'
  | 'route'
  | 'prompt_version'
  | 'component_version'
  | 'error_type'

/** Native fields whose attribute holds content, of which only the hash is kept. */
export type HashField = 'system_prompt_hash' | 'tools_hash' | 'args_hash' | 'result_hash'

/** Names of attributes, or a pattern of them where they are numbered. */
export type NameGroup = readonly string[] | RegExp

/**
 * How one family of instrumentations spells what we want to know: attribute names by native field,
 * the most telling first. Pure data but for `kind` and `structure`.
 */
export type Dialect = {
  /** The kind of step, or null when the span is not of this dialect or of no interest. */
  kind: (attributes: Attributes) => Kind | null
  text?: Partial<Record<TextField, readonly string[]>>
  /** Name of the tool, agent, index …, by kind. */
  name?: Partial<Record<Kind, readonly string[]>>
  /** A name that ends with a dot stands for all that begin with it. */
  hash?: Partial<Record<HashField, readonly string[]>>
  /** Attributes in seconds, respectively milliseconds, from the start to the first token. */
  ttftSeconds?: readonly string[]
  ttftMs?: readonly string[]
  temperature?: readonly string[]
  stop?: readonly string[]
  cost?: readonly string[]
  /** Prefixes of the attributes that are the usage block; kept verbatim, names and all. */
  usage?: readonly string[]
  /**
   * Where the text of requests and answers stands: of these groups the first that the span has,
   * all names of it.
   */
  said?: { in: readonly NameGroup[]; out: readonly NameGroup[] }
  /** Prefixes under which users put labels of their own. */
  tags?: readonly string[]
  /** What is nested in an attribute as JSON or spread over numbered ones. */
  structure?: (attributes: Attributes) => Candidate
}
