import { findRows, type PriceBook } from './book.ts'
import { canonicalProvider } from './providers.ts'

/** Providers whose products come on one bill. */
const ONE_BILL: Readonly<Record<string, string>> = {
  'gcp.gemini': 'gcp.vertex_ai',
  'gcp.gen_ai': 'gcp.vertex_ai',
  'azure.ai.inference': 'azure.ai.openai'
}

/** Who sends the bill for what a provider serves. */
export const billingProvider = (provider: string): string => {
  const name = canonicalProvider(provider)
  return ONE_BILL[name] ?? name
}

/** The name of a model that its aliases share; a name that the book lacks stays as it is. */
export const modelKey = (book: PriceBook, provider: string, model: string): string => {
  const { rows } = findRows(book, provider, model)
  return rows[0]?.model ?? model.toLowerCase()
}
