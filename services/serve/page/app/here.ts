import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import { hrefHere, hrefTo, readPlace, type Changes, type Place } from './place.ts'

/** The place that is shown; it changes with the address and nothing else. */

export const Here = createContext<Place>(readPlace('/'))

const GO = 'tally:go'

export const goTo = (href: string): void => {
  history.pushState(null, '', href)
  dispatchEvent(new Event(GO))
}

/** The place of the address bar. Links within the page are followed without leaving it. */
export const useAddress = (): Place => {
  const [address, setAddress] = useState(location.href)
  useEffect(() => {
    const look = (): void => setAddress(location.href)
    addEventListener('popstate', look)
    addEventListener(GO, look)
    addEventListener('click', follow)
    return () => {
      removeEventListener('popstate', look)
      removeEventListener(GO, look)
      removeEventListener('click', follow)
    }
  }, [])
  return readPlace(address)
}

const follow = (event: MouseEvent): void => {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || link.origin !== location.origin || !('within' in link.dataset)) return
  if (event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  goTo(link.href)
  if (link.pathname !== location.pathname) return
  scrollTo(0, 0)
}

export const useHere = (): {
  place: Place
  to: (path: string, changes?: Changes) => string
  here: (changes: Changes) => string
} => {
  const place = useContext(Here)
  return {
    place,
    to: (path, changes) => hrefTo(place, path, changes),
    here: (changes) => hrefHere(place, changes)
  }
}
