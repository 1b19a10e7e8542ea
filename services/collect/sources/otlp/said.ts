import type { Said } from '../../count/local-counts.ts'
import { answerText } from '../../count/answer-text.ts'
import { textOf } from '../../count/text-of.ts'
import { wholeStructure, type Attributes } from './attributes.ts'
import { SAID, type SaidNames } from './field-names.ts'
import type { Span } from './span.ts'

/**
 * What a span says was asked and answered, by the names of all dialects, on the span or on its
 * events. Several dialects repeat one text, so the first that has it holds.
 */
export const spanSaid = ({ attributes, moments }: Span): Said => {
  const found = saidIn(attributes)
  for (const moment of moments) {
    if (found.in !== null && found.out !== null) break
    const more = saidIn(moment.attributes)
    found.in ??= more.in
    found.out ??= more.out
  }
  return { in: found.in ?? messages(moments, ASKED), out: found.out ?? messages(moments, ANSWERED) }
}

const saidIn = (attributes: Attributes): { in: string | null; out: string | null } => {
  const names = [...attributes.names()]
  const said = (groups: SaidNames, read: Read): string | null => {
    for (const group of groups) {
      const texts = textsOf(names.filter(isIn(group)), attributes, read)
      if (texts.includes(null)) return null
      if (texts.length > 0) return texts.join('\n')
    }
    return null
  }
  return { in: said(SAID.in, textOf), out: said(SAID.out, answer) }
}

const isIn =
  (group: SaidNames[number]) =>
  (name: string): boolean =>
    group instanceof RegExp ? group.test(name) : group.includes(name)

/** Texts under the names that hold anything; null for one that was cut. */
const textsOf = (names: readonly string[], attributes: Attributes, read: Read): (string | null)[] =>
  names.flatMap((name) => {
    const value = attributes.get(name)
    if (value === undefined || value === null || value === '') return []
    const whole = wholeStructure(value)
    return [whole === null ? null : read(whole)]
  })

type Read = (value: unknown) => string | null

/** An answer may be the whole response, which repeats more than it says. */
const answer: Read = (value) =>
  typeof value === 'string' || Array.isArray(value) ? textOf(value) : answerText(value)

/** Events of the conventions before v1.37, one a message. */
const ASKED = /^gen_ai\.(?:system|user|assistant|tool)\.message$/
const ANSWERED = /^gen_ai\.choice$/

const messages = (moments: Span['moments'], name: RegExp): string | null => {
  const found = moments.filter((moment) => name.test(moment.name))
  const texts = found.map(({ attributes }) =>
    textOf(wholeStructure(attributes.get('gen_ai.event.content') ?? attributes.get('content')))
  )
  return texts.length === 0 || texts.includes(null) ? null : texts.join('\n')
}
