/** The names under which callers know a provider, mapped to its OpenTelemetry name. */
const ALIASES = new Map<string, string>(
  Object.entries({
    'azure.ai.inference': 'azure.ai.openai',
    'azure-openai': 'azure.ai.openai',
    azure_ai: 'azure.ai.openai',
    azure: 'azure.ai.openai',
    openai: 'openai',
    anthropic: 'anthropic',
    claude: 'anthropic',
    google: 'gcp.gemini',
    gemini: 'gcp.gemini',
    vertex: 'gcp.gemini',
    vertexai: 'gcp.gemini',
    vertex_ai: 'gcp.gemini',
    'google-vertex': 'gcp.gemini',
    'google-gla': 'gcp.gemini',
    'gcp.gemini': 'gcp.gemini',
    'gcp.vertex_ai': 'gcp.gemini',
    'gcp.gen_ai': 'gcp.gemini',
    aws: 'aws.bedrock',
    bedrock: 'aws.bedrock',
    'amazon-bedrock': 'aws.bedrock',
    'aws.bedrock': 'aws.bedrock',
    bedrock_converse: 'aws.bedrock',
    cohere: 'cohere',
    deepseek: 'deepseek',
    mistral: 'mistral_ai',
    mistralai: 'mistral_ai',
    mistral_ai: 'mistral_ai',
    xai: 'x_ai',
    'x-ai': 'x_ai',
    x_ai: 'x_ai',
    grok: 'x_ai',
    groq: 'groq',
    openrouter: 'openrouter',
    perplexity: 'perplexity',
    moonshot: 'moonshot_ai',
    moonshotai: 'moonshot_ai',
    moonshot_ai: 'moonshot_ai',
    kimi: 'moonshot_ai',
    ollama: 'ollama',
    vllm: 'vllm',
    hosted_vllm: 'vllm',
    sglang: 'sglang'
  })
)

/** Canonical name, or the name itself in lower case where it is not known. */
export const canonicalProvider = (name: string | null): string | null => {
  if (name === null) return null
  const lowered = name.toLowerCase()
  return ALIASES.get(lowered) ?? lowered
}
