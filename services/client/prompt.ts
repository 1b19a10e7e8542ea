import { createHash } from 'node:crypto'
import { isJson } from './response-facts.ts'

/** Identity of a prompt's cacheable beginning: hashes, from which no text can be read. */
export type PromptIdentity = {
  prefix: { hash: string; blocks: string[]; block_tokens: number } | null
  system_prompt_hash: string | null
  tools_hash: string | null
}

/** A block of the ladder: 256 tokens, taken as four characters each. */
const BLOCK_TOKENS = 256
const BLOCK_CHARACTERS = BLOCK_TOKENS * 4
const HASH_HEX = 32

const hash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, HASH_HEX)

/** Providers cache tools first, then the system prompt, then the messages in their order. */
const ORDER = ['tools', 'system', 'instructions', 'messages', 'input', 'contents', 'prompt']

export const promptIdentity = (request: unknown): PromptIdentity => {
  if (!isJson(request)) return { prefix: null, system_prompt_hash: null, tools_hash: null }
  const parts = ORDER.flatMap((key) =>
    request[key] === undefined ? [] : [`${key}:${JSON.stringify(request[key])}`]
  )
  const blocks = ladder(parts.join('\n'))
  const system = systemOf(request)
  const { tools } = request
  return {
    prefix:
      blocks.length === 0
        ? null
        : { hash: blocks.at(-1) ?? '', blocks, block_tokens: BLOCK_TOKENS },
    system_prompt_hash: system === undefined ? null : hash(JSON.stringify(system)),
    tools_hash: tools === undefined ? null : hash(JSON.stringify(tools))
  }
}

/** Hashes of the first 1, 2, 4, 8 … whole blocks. */
const ladder = (text: string): string[] => {
  const blocks: string[] = []
  const running = createHash('sha256')
  let at = 0
  for (let end = BLOCK_CHARACTERS; end <= text.length; end *= 2) {
    running.update(text.slice(at, end))
    blocks.push(running.copy().digest('hex').slice(0, HASH_HEX))
    at = end
  }
  return blocks
}

const systemOf = (request: Record<string, unknown>): unknown => {
  const { messages } = request
  const first: unknown = Array.isArray(messages) ? messages[0] : undefined
  const inMessages = isJson(first) && ['system', 'developer'].includes(String(first['role']))
  return request['system'] ?? request['instructions'] ?? (inMessages ? first['content'] : undefined)
}
