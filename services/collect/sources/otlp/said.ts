import type { Said } from '../../count/local-counts.ts'
import { answerText } from '../../count/answer-text.ts'
import { textOf } from '../../count/text-of.ts'
import type { Attributes, AttributeValue } from './attributes.ts'
import { wholeStructure } from './attributes.ts'
import { SAID, type SaidNames } from './field-names.ts'
import type { Span } from './span.ts'

/**
 * What a span says was asked and answered, by the names of all dialects, on the span or on its
 * events. Several dialects repeat one text, so the first that has it holds.
 */
export const spanSaid = ({ attributes, moments }: Span): Said => {
  const found = { in: first(SAID.in, attributes, textOf), out: first(SAID.out, attributes, answer) }
  for (const moment of moments) {
    found.in ??= first(SAID.in, moment.attributes, textOf)
    found.out ??= first(SAID.out, moment.attributes, answer)
  }
  return { in: found.in ?? messages(moments, ASKED), out: found.out ?? messages(moments, ANSWERED) }
}

type Read = (value: unknown) => string | null

/** An answer may be the whole response, which repeats more than it says. */
const answer: Read = (value) =>
  typeof value === 'string' || Array.isArray(value) ? textOf(value) : answerText(value)

/** The text under the first group of names that has any; null where it is cut. */
const first = (groups: SaidNames, attributes: Attributes, read: Read): string | null => {
  for (const group of groups) {
    const pieces = valuesOf(group, attributes).map((value) => {
      const whole = wholeStructure(value)
      return whole === null ? null : read(whole)
    })
    if (pieces.includes(null)) return null
    if (pieces.length > 0) return pieces.join('\n')
  }
  return null
}

const valuesOf = (group: SaidNames[number], attributes: Attributes): AttributeValue[] => {
  const names =
    group instanceof RegExp ? [...attributes.names()].filter((name) => group.test(name)) : group
  return names.flatMap((name) => {
    const value = attributes.get(name)
    return value === undefined || value === null || value === '' ? [] : [value]
  })
}

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
