import { createOpenAI } from '@ai-sdk/openai'
import { generateText, streamText } from 'ai'
import type { Client } from '../client.ts'

/** The Vercel AI SDK with its calls metered: any provider of it takes a fetch. */
export const askVercelAi = async (tally: Client, baseURL: string): Promise<string> => {
  const openai = createOpenAI({ apiKey: 'none', baseURL: `${baseURL}/v1`, fetch: tally.fetch })
  const prompt = 'What do pikes like?'
  await generateText({ model: openai('gpt-5-mini'), prompt })
  return streamText({ model: openai('gpt-5-mini'), prompt }).text
}
