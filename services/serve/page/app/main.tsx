import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Here, useAddress } from './here.ts'
import type { Place } from './place.ts'
import { applyTheme, keptTheme, Shell } from './shell.tsx'
import { OverviewView } from './views/overview.tsx'

const viewOf = ({ view, id }: Place): { title: string; body: preact.ComponentChild } => {
  switch (view) {
    case '':
      return { title: 'Overview', body: <OverviewView /> }
    default:
      return {
        title: 'Nothing here',
        body: (
          <p>
            There is no view {view} {id}.
          </p>
        )
      }
  }
}

const Page = () => {
  const place = useAddress()
  const { title, body } = viewOf(place)
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${title} · Tallystream`
    // Whoever hears the page is told of the new view; the first one is read anyway.
    if (!isFirst.current) document.getElementById('main')?.focus()
    isFirst.current = false
  }, [title])
  return (
    <Here.Provider value={place}>
      <Shell title={title}>{body}</Shell>
    </Here.Provider>
  )
}

applyTheme(keptTheme())
render(<Page />, document.body)
