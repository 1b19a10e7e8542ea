import OpenAI from 'openai'
import type { Client } from '../client.ts'

/** OpenAI's SDK with its calls metered: whole and streamed. */
export const askOpenAi = async (tally: Client, baseURL: string): Promise<string> => {
  const openai = new OpenAI({ apiKey: 'none', baseURL: `${baseURL}/v1`, fetch: tally.fetch })
  const messages = [{ role: 'user' as const, content: 'What do pikes like?' }]
  await openai.chat.completions.create({ model: 'gpt-4o', messages })
  const stream = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages,
    stream: true,
    stream_options: { include_usage: true }
  })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  return text
}
