import type { UsageEvent } from '../../../schemas/event.ts'
import type { Said } from '../count/local-counts.ts'
import type { Fault } from '../fault.ts'

/**
 * The socket for dialects. A source is a folder here with `source.ts` (default export
 * `defineSource({...})`) and `cases/*.json`; the folder's name is the id that `--as` and the path
 * `/v1/sources/<id>` take, and it is written nowhere else. Found on disk: there is no list.
 */

/** One request body, one line or document of a file, or one record of a topic. */
export type Message = {
  bytes: Uint8Array
  /** Lower-case media type without parameters; null when there is none (files, topics). */
  mediaType: string | null
  /** Path of the door through which it came; null outside HTTP. */
  door: string | null
  /** Headers of the request or record, names in lower case. */
  headers: Readonly<Record<string, string>>
  /** Who pays where the input does not say; null = nobody known. */
  tenant: string | null
}

/** A native event in the making: any field may be missing, null, or of an unchecked size. */
export type Candidate = { [Field in keyof UsageEvent]?: UsageEvent[Field] | null | undefined }

/** A candidate for a native event; schema, time and tenant are judged behind the socket. */
export type Item = {
  index: number
  at: string
  event: unknown
  /** What was said, for the flight recorder; asked for only where that is on. */
  content?: () => unknown
  /**
   * What was asked and answered, in any shape that holds text, for counting it; then it is dropped.
   * Null for a side that can not be seen whole.
   */
  said?: () => Said
}

export type Reading = {
  items: Item[]
  /** What could not be read, item by item. */
  faults: Fault[]
  /** Items that are well-formed and say nothing about usage (spans of a database, say). */
  ignored: number
}

/** A conventional address at which tools that speak the dialect already deliver. */
export type Door = { path: string; mediaTypes: readonly string[] }

export type Outcome = {
  accepted: number
  ignored: number
  faults: readonly Fault[]
}

/** An HTTP answer in the dialect's own form. */
export type Answer = { status: number; mediaType: string; body: string | Uint8Array }

/** What a dialect is told beyond the message, by name: files, addresses, constants. */
export type SourceOptions = Readonly<Record<string, string>>

/** An option that a dialect takes, on the command line and in the file of sources. */
export type OptionSpec = { about: string; required?: true }

export type Source = {
  title: string
  /** One paragraph for the documentation: what it reads and how to point it here. */
  about: string
  doors: readonly Door[]
  /**
   * What happens to the good items of a request that holds bad ones. `strict`: nothing is taken,
   * the sender repairs and repeats. `lenient`: the good ones are taken and the bad ones named, for
   * senders that can not repair (exporters, callbacks) or whose protocol says so.
   */
  handling: 'strict' | 'lenient'
  /** How a file divides into messages: one a line, or the whole file (bounded in size). */
  framing: 'lines' | 'document'
  /** Native fields that the dialect can tell, by path; checked against the cases. */
  tells: readonly string[]
  /** Whether its items say what was `said`: then `local` and `script` are told as well. */
  counts?: true
  /** Headers that it reads where a message is a record of a topic; names in lower case. */
  headers?: readonly string[]
  /** Options by name; with a required one, the dialect is there only where it was configured. */
  options?: Readonly<Record<string, OptionSpec>>
  /** The source that was told its options. @throws Failure E_USAGE that names the place. */
  configure?: (options: SourceOptions) => Promise<Source>
  /**
   * Fetches what reading the message needs, a schema by its id, say; called before `read`.
   * @throws Failure E_LOG_UNAVAILABLE (retriable) when it can not be had now.
   */
  prepare?: (message: Message) => Promise<void>
  /**
   * Pure: the same message gives the same reading. Never throws on what it reads, except a
   * Failure E_BODY_UNREADABLE when the message as a whole can not be decoded.
   */
  read: (message: Message) => Reading
  /** The answer to a request that was read, where the dialect's protocol prescribes one. */
  answer?: (outcome: Outcome, mediaType: string) => Answer
  /** The answer to a request that failed as a whole, where the protocol prescribes one. */
  complain?: (status: number, message: string, mediaType: string) => Answer
}

export const defineSource = (source: Source): Source => source
