/** What emitters call a provider, by its name in the OpenTelemetry GenAI registry. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['azure', 'azure.ai.openai'],
  ['azure-openai', 'azure.ai.openai'],
  ['azure_openai', 'azure.ai.openai'],
  ['az.ai.openai', 'azure.ai.openai'],
  ['az.ai.inference', 'azure.ai.inference'],
  ['azure_ai', 'azure.ai.inference'],
  ['google', 'gcp.gemini'],
  ['gemini', 'gcp.gemini'],
  ['google.generative-ai', 'gcp.gemini'],
  ['google_genai', 'gcp.gemini'],
  ['google-vertex', 'gcp.vertex_ai'],
  ['google.vertex', 'gcp.vertex_ai'],
  ['google_vertexai', 'gcp.vertex_ai'],
  ['vertex', 'gcp.vertex_ai'],
  ['vertexai', 'gcp.vertex_ai'],
  ['vertex_ai', 'gcp.vertex_ai'],
  ['gcp.vertex.agent', 'gcp.vertex_ai'],
  ['vertex.anthropic', 'gcp.vertex_ai'],
  ['aws', 'aws.bedrock'],
  ['bedrock', 'aws.bedrock'],
  ['amazon-bedrock', 'aws.bedrock'],
  ['amazon_bedrock', 'aws.bedrock'],
  ['bedrock_converse', 'aws.bedrock'],
  ['mistral', 'mistral_ai'],
  ['mistralai', 'mistral_ai'],
  ['xai', 'x_ai'],
  ['moonshot', 'moonshot_ai'],
  ['moonshotai', 'moonshot_ai'],
  ['watsonx', 'ibm.watsonx.ai'],
  ['hosted_vllm', 'vllm']
])

/** Endings by which the AI SDK names an API of a provider: `openai.responses`. */
const API_ENDING =
  /\.(chat|completion|responses|messages|embedding|text-embedding|image|speech|transcription)$/

/** One name for each provider, so that a fleet of emitters does not split its bill. */
export const providerName = (name: string): string => {
  const lowered = name.trim().toLowerCase().replace(API_ENDING, '')
  return ALIASES.get(lowered) ?? lowered
}
