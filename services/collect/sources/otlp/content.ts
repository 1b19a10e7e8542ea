import type { Attributes, AttributeValue } from './attributes.ts'

/** What was said: prompts, answers, arguments, results and parameters, by the names of all dialects. */
const CONTENT =
  /^(?:gen_ai\.(?:input\.messages|output\.messages|system_instructions|tool\.definitions|tool\.call\.(?:arguments|result)|prompt|completion|request)(?:\.|$)|(?:input|output)\.value$|llm\.(?:input_messages|output_messages|invocation_parameters|tools|prompts)(?:\.|$)|tool\.parameters$|ai\.(?:prompt|response|toolCall)\.|traceloop\.entity\.(?:input|output)$|langfuse\.(?:observation|trace)\.(?:input|output)$)/

/** Only read where the flight recorder is on: otherwise content never leaves the span. */
export const spanContent = (attributes: Attributes): Record<string, AttributeValue> | null => {
  const found: Record<string, AttributeValue> = {}
  for (const name of attributes.names()) {
    const value = CONTENT.test(name) ? attributes.get(name) : undefined
    if (value !== undefined) found[name] = value
  }
  return Object.keys(found).length > 0 ? found : null
}
