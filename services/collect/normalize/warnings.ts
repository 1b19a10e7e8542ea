/**
 * What a reader of a usage block may have to say about it. The table is the documentation: each
 * code says what was seen and how far the counts may still be trusted. `cap` is the highest
 * confidence that a result with this warning can have.
 */
export type Confidence = 'high' | 'medium' | 'low' | 'none'

type Warning = { cap: Confidence; says: string }

const warning = (cap: Confidence, says: string): Warning => ({ cap, says })

export const WARNINGS = {
  usage_missing: warning('none', 'The body carries no usage block that any rule can read.'),
  body_unreadable: warning('none', 'The body is neither JSON nor a stream of JSON events.'),
  usage_unreadable: warning('none', 'The usage block is not a JSON object.'),
  usage_all_zero: warning('low', 'Every count is 0, which no call can have used.'),
  stream_cut: warning(
    'low',
    'The stream ends before its final usage: counts are the last snapshot.'
  ),
  stream_error: warning('low', 'An error arrived inside the stream: counts are the last snapshot.'),
  stream_tail_unreadable: warning('high', 'The last bytes of a finished stream are not an event.'),
  stream_event_unreadable: warning('medium', 'An event inside the stream is not JSON.'),
  stream_zero_ignored: warning(
    'medium',
    'A later snapshot sets all input to 0: taken as a placeholder, the earlier one is kept.'
  ),
  stream_count_shrank: warning(
    'medium',
    'The last snapshot counts less than an earlier one; the last one holds.'
  ),
  stream_cache_late: warning(
    'low',
    'Cache counts came without the input count beside them: input may include the cache.'
  ),
  stream_several_responses: warning(
    'low',
    'The stream holds more than one response; only the last is counted.'
  ),
  api_contradicted: warning('medium', 'The body has the shape of another API than the one named.'),
  api_guessed: warning('medium', 'Two conventions fit the field names; the counts decide nothing.'),
  count_as_string: warning('high', 'A count came as a decimal string and was read as a number.'),
  count_invalid: warning(
    'low',
    'A count is not a whole number that is safe to add; it is unknown.'
  ),
  count_negative: warning('low', 'A count is negative; it is taken as unknown.'),
  count_implausible: warning('low', 'A count is larger than any model call can have.'),
  field_unreadable: warning('low', 'A group of counts is not an object or list; it is unknown.'),
  unknown_token_field: warning('medium', 'A token count stands in a field that no rule knows.'),
  cache_field_undocumented: warning(
    'medium',
    'The cache count stands in a field that the provider does not document.'
  ),
  cache_write_ttl_unknown: warning('high', 'Tokens written to cache without their time to live.'),
  cache_write_split_mismatch: warning('low', 'Cache writes by time to live exceed their total.'),
  cache_exceeds_prompt: warning(
    'low',
    'More cached tokens than prompt tokens: the prompt is read as excluding the excess kind.'
  ),
  cache_split_inconsistent: warning('low', 'Cache hits and misses do not add up to the prompt.'),
  convention_ambiguous: warning('low', 'More than one convention explains the total.'),
  convention_unverified: warning(
    'medium',
    'This API has been seen with two conventions, and there is no total that tells them apart.'
  ),
  convention_by_arithmetic: warning(
    'medium',
    'The total shows another convention than the documented one; the total was followed.'
  ),
  reasoning_exceeds_output: warning('low', 'More reasoning tokens than output tokens.'),
  reasoning_from_total: warning(
    'medium',
    'Reasoning is not reported: taken as what the total holds beyond prompt and completion.'
  ),
  total_mismatch: warning('low', 'The stated total is not the sum of its parts in any convention.'),
  total_omits_parts: warning('medium', 'The stated total leaves out counts that are billed.'),
  cache_read_missing: warning(
    'medium',
    'Writes to the cache are reported and reads are not, beside an input that leaves both out.'
  ),
  input_missing: warning('medium', 'The block reports output but no input.'),
  output_missing: warning('medium', 'The block reports input or reasoning but no output.'),
  total_only: warning('low', 'Only a total is reported; it is taken as input.'),
  part_from_total: warning('medium', 'A missing part was computed from the total.'),
  witnesses_disagree: warning('low', 'Two fields for the same count differ.'),
  modality_exceeds_bucket: warning('low', 'A count by modality exceeds the count it is part of.'),
  iterations_beyond_totals: warning(
    'high',
    'Sub-inferences hold tokens that the totals leave out; each is priced apart.'
  ),
  iterations_incomplete: warning('low', 'Sub-inferences hold fewer tokens than the totals.'),
  iterations_unreadable: warning('low', 'A sub-inference can not be read.'),
  billed_units_differ: warning(
    'high',
    'The provider bills other counts than the model saw; the buckets hold what is billed.'
  ),
  units_from_output: warning(
    'high',
    'Searches were counted in the output; the bill may count fewer.'
  ),
  image_generation_unmetered: warning(
    'medium',
    'Images were generated, and what they cost is not in the response.'
  ),
  seconds_rounded_up: warning('high', 'A fraction of a second of audio was rounded up.'),
  fallback_credit: warning(
    'high',
    'A fallback credit applies: the bill will be lower than the sum.'
  )
} as const satisfies Record<string, Warning>

export type WarningCode = keyof typeof WARNINGS

const RANK: Record<Confidence, number> = { none: 0, low: 1, medium: 2, high: 3 }

export const lower = (a: Confidence, b: Confidence): Confidence => (RANK[a] <= RANK[b] ? a : b)

/** Collects warnings, each once, and the confidence that they leave. */
export class Notes {
  confidence: Confidence = 'high'
  private readonly lines: string[] = []

  /** `detail` must come from the rules, never from the body, so that the words stay few. */
  add(code: WarningCode, detail?: string): void {
    const line = detail === undefined ? code : `${code}: ${detail}`
    if (!this.lines.includes(line)) this.lines.push(line)
    this.confidence = lower(this.confidence, WARNINGS[code].cap)
  }

  has(code: WarningCode): boolean {
    return this.lines.some((line) => line === code || line.startsWith(`${code}:`))
  }

  list(): string[] {
    return this.lines
  }
}
