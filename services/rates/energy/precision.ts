/** Weight formats that change memory traffic and arithmetic. `fp16` and `bf16` cost the same. */
export type Precision = 'bf16' | 'fp8' | 'int8' | 'mxfp4' | 'int4' | 'fp32'

export type PrecisionSpec = {
  /** Stored bytes per weight, scales included. */
  bytesPerParameter: number
  /** Arithmetic rate against dense bf16. */
  arithmeticSpeedup: number
}

export const PRECISIONS: Readonly<Record<Precision, PrecisionSpec>> = {
  fp32: { bytesPerParameter: 4, arithmeticSpeedup: 0.5 },
  bf16: { bytesPerParameter: 2, arithmeticSpeedup: 1 },
  fp8: { bytesPerParameter: 1, arithmeticSpeedup: 2 },
  int8: { bytesPerParameter: 1, arithmeticSpeedup: 2 },
  // Four-bit weights with block scales; kernels compute in bf16.
  mxfp4: { bytesPerParameter: 0.53, arithmeticSpeedup: 1 },
  int4: { bytesPerParameter: 0.53, arithmeticSpeedup: 1 }
}

const PATTERNS: readonly [RegExp, Precision][] = [
  [/mxfp4|nvfp4|fp4/, 'mxfp4'],
  [/int4|awq|gptq|w4a16|4[- ]?bit|q4|nf4/, 'int4'],
  [/int8|w8a8|8[- ]?bit|q8/, 'int8'],
  [/fp8|float8|f8_e4m3/, 'fp8'],
  [/bf16|bfloat16|fp16|float16|\bhalf\b/, 'bf16'],
  [/fp32|float32/, 'fp32']
]

/** Reads a precision out of a field (`bfloat16`) or a model's name (`…-FP8`); null if none shows. */
export const findPrecision = (text: string | null | undefined): Precision | null => {
  if (text === null || text === undefined) return null
  const lower = text.toLowerCase()
  return PATTERNS.find(([pattern]) => pattern.test(lower))?.[1] ?? null
}
