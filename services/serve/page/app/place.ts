/** Where the page is: its address holds the whole state, so that every view can be sent to others. */
export type Place = { view: string; id: string; query: URLSearchParams }

/** `/incidents/a%2Fb?last=6h` → view `incidents`, id `a/b`. */
export const readPlace = (address: string): Place => {
  const url = new URL(address, 'http://page')
  const [, view = '', ...rest] = url.pathname.split('/')
  return { view, id: decoded(rest.join('/')), query: url.searchParams }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What goes along from view to view: the stretch of time. */
const KEPT = ['from', 'to', 'last']

export type Changes = Record<string, string | readonly string[] | null>

/** Address of another view over the same stretch of time. */
export const hrefTo = (place: Place, path: string, changes: Changes = {}): string => {
  const query = new URLSearchParams()
  for (const name of KEPT) {
    const value = place.query.get(name)
    if (value !== null) query.set(name, value)
  }
  return addressOf(path, changed(query, changes))
}

/** Address of the same view with some of its state changed; null removes. */
export const hrefHere = (place: Place, changes: Changes): string => {
  const id = place.id === '' ? '' : `/${encodeURIComponent(place.id)}`
  return addressOf(`/${place.view}${id}`, changed(new URLSearchParams(place.query), changes))
}

const changed = (query: URLSearchParams, changes: Changes): URLSearchParams => {
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name)
    for (const one of value === null ? [] : [value].flat()) query.append(name, one)
  }
  return query
}

const addressOf = (path: string, query: URLSearchParams): string =>
  query.size === 0 ? path : `${path}?${query}`

/** A range given by its ends, for a zoom. */
export const rangeChanges = (fromS: number, toS: number): Changes => ({
  last: null,
  from: new Date(Math.floor(fromS) * 1000).toISOString(),
  to: new Date(Math.ceil(toS) * 1000).toISOString()
})

/** What the API is asked about the stretch of time. */
export const rangeOf = ({ query }: Place): Record<string, string> =>
  Object.fromEntries(KEPT.flatMap((name) => (query.get(name) ? [[name, query.get(name)!]] : [])))
