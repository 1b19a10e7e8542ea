import Anthropic from '@anthropic-ai/sdk'
import type { Client } from '../client.ts'

/** Anthropic's SDK with its calls metered: whole and streamed. */
export const askAnthropic = async (tally: Client, baseURL: string): Promise<string> => {
  const anthropic = new Anthropic({ apiKey: 'none', baseURL, fetch: tally.fetch })
  const asked = {
    model: 'claude-sonnet-4-5',
    max_tokens: 100,
    system: 'You are an angler.',
    messages: [{ role: 'user' as const, content: 'What do pikes like?' }]
  }
  await anthropic.messages.create(asked)
  return anthropic.messages.stream(asked).finalText()
}
