/** Canonical names of providers (OpenTelemetry's where it has one) and other spellings of them. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  openai: ['text-completion-openai', 'openai.chat', 'openai.responses', 'openai-decisions'],
  anthropic: ['anthropic.messages'],
  'azure.ai.openai': ['azure', 'azure_text', 'azure_openai', 'azure-openai', 'azure.openai'],
  'azure.ai.inference': ['azure_ai', 'azure-ai', 'azure.ai.foundry'],
  'aws.bedrock': [
    'aws',
    'bedrock',
    'bedrock_converse',
    'bedrock_mantle',
    'amazon-bedrock',
    'amazon.bedrock',
    'aws_bedrock'
  ],
  'gcp.gemini': ['gemini', 'google', 'google_ai_studio', 'google.generative-ai', 'google-gla'],
  'gcp.vertex_ai': ['vertex_ai', 'vertexai', 'vertex', 'google-vertex', 'google.vertex'],
  'gcp.gen_ai': ['google_genai'],
  mistral_ai: ['mistral', 'mistralai', 'codestral', 'text-completion-codestral'],
  cohere: ['cohere_chat'],
  x_ai: ['xai', 'x-ai'],
  'ibm.watsonx.ai': ['watsonx'],
  moonshot_ai: ['moonshot', 'moonshotai'],
  fireworks_ai: ['fireworks', 'fireworks_ai-embedding-models'],
  together_ai: ['together'],
  voyage: ['voyageai'],
  github_copilot: ['github-copilot', 'microsoft_365_copilot']
}

const canonical = new Map<string, string>(
  Object.entries(SPELLINGS).flatMap(([name, others]) =>
    [name, ...others].map((spelling): [string, string] => [spelling, name])
  )
)

/** Canonical name of a provider; an unknown one is kept as it is, in lower case. */
export const canonicalProvider = (name: string): string => {
  const lower = name.trim().toLowerCase()
  if (lower.startsWith('vertex_ai-')) return 'gcp.vertex_ai'
  return canonical.get(lower) ?? lower
}

/**
 * Where else a list price may be looked up when the provider itself has no row: resellers that
 * publish the maker's price. A price found this way is marked as assumed.
 */
const FALLBACKS: Readonly<Record<string, readonly string[]>> = {
  'azure.ai.openai': ['azure.ai.inference', 'openai'],
  'azure.ai.inference': ['azure.ai.openai', 'openai'],
  'gcp.gen_ai': ['gcp.gemini', 'gcp.vertex_ai'],
  'gcp.gemini': ['gcp.vertex_ai'],
  'gcp.vertex_ai': ['gcp.gemini']
}

export const fallbackProviders = (provider: string): readonly string[] => FALLBACKS[provider] ?? []

/** Makers that sell their own models: where a price is looked up when nobody said who served. */
export const MAKERS = [
  'openai',
  'anthropic',
  'gcp.gemini',
  'deepseek',
  'mistral_ai',
  'cohere',
  'x_ai',
  'voyage',
  'moonshot_ai'
] as const
