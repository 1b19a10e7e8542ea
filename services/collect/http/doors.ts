import { Failure } from '../../../schemas/failure.ts'
import type { LoadedSource } from '../sources/load.ts'

/** What answers at one path: which dialect for which media type. */
export type PathDoors = {
  path: string
  byMediaType: ReadonlyMap<string, LoadedSource>
  /** Takes any media type; null when the path is shared and the type has to decide. */
  any: LoadedSource | null
}

/**
 * The paths of all sources: their conventional doors, and `/v1/sources/<id>` for each.
 * @throws Failure E_USAGE when two sources claim one path and media type.
 */
export const doorsOf = (sources: readonly LoadedSource[]): PathDoors[] => {
  const paths = new Map<string, Map<string, LoadedSource>>()
  for (const source of sources) {
    for (const door of source.doors) {
      const types = paths.get(door.path) ?? new Map<string, LoadedSource>()
      paths.set(door.path, types)
      for (const mediaType of door.mediaTypes) claim(types, mediaType, source, door.path)
    }
  }
  return [
    ...[...paths].map(([path, byMediaType]) => ({ path, byMediaType, any: null })),
    ...sources.map((source) => ({
      path: `/v1/sources/${source.id}`,
      byMediaType: new Map<string, LoadedSource>(),
      any: source
    }))
  ]
}

const claim = (
  types: Map<string, LoadedSource>,
  mediaType: string,
  source: LoadedSource,
  path: string
): void => {
  const other = types.get(mediaType)
  if (other !== undefined) {
    throw new Failure('E_USAGE', `${other.id} and ${source.id} both claim ${mediaType} at ${path}`)
  }
  types.set(mediaType, source)
}

/** Media type of a content-type header without its parameters, in lower case. */
export const mediaTypeOf = (contentType: string | undefined): string | null => {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  return mediaType === undefined || mediaType === '' ? null : mediaType
}

/** @throws Failure E_MEDIA_TYPE that lists what the path takes. */
export const sourceFor = (doors: PathDoors, mediaType: string | null): LoadedSource => {
  const source = doors.any ?? doors.byMediaType.get(mediaType ?? '')
  if (source !== undefined) return source
  const seen = mediaType === null ? 'no content-type' : `content-type ${mediaType.slice(0, 100)}`
  throw new Failure('E_MEDIA_TYPE', `${seen} at ${doors.path}`, {
    hint: `Send content-type ${[...doors.byMediaType.keys()].join(' or ')}.`
  })
}
