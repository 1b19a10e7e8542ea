import { Failure } from '../../../schemas/failure.ts'
import { nearestName } from '../nearest-name.ts'
import type { LoadedSource } from './load.ts'
import type { SourceOptions } from './source.ts'

/**
 * A source that was told its options; one without any is returned as it is.
 * @throws Failure E_USAGE for an option that it does not take, or one that it needs and lacks.
 */
export const configureSource = async (
  source: LoadedSource,
  options: SourceOptions
): Promise<LoadedSource> => {
  const known = source.options ?? {}
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw unknownOption(source, name)
  }
  const missing = missingOption(source, options)
  if (missing !== null) {
    throw new Failure('E_USAGE', `the dialect ${source.id} needs the option ${missing}`, {
      hint: `${missing}: ${known[missing]?.about ?? ''}`
    })
  }
  if (Object.keys(options).length === 0 || source.configure === undefined) return source
  return { ...(await source.configure(options)), id: source.id }
}

/** The first required option that is not given; null when the source can read. */
export const missingOption = (source: LoadedSource, options: SourceOptions): string | null =>
  Object.entries(source.options ?? {}).find(
    ([name, { required }]) => required === true && !Object.hasOwn(options, name)
  )?.[0] ?? null

const unknownOption = (source: LoadedSource, name: string): Failure => {
  const names = Object.keys(source.options ?? {})
  const nearest = nearestName(name, names)
  const hint =
    nearest !== null
      ? `Did you mean ${nearest}?`
      : names.length === 0
        ? `${source.id} takes no options.`
        : `${source.id} takes: ${names.join(', ')}.`
  return new Failure('E_USAGE', `the dialect ${source.id} takes no option ${name}`, { hint })
}
