import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { goTo, useHere } from './here.ts'
import { Link } from './parts.tsx'

const VIEWS: readonly (readonly [view: string, title: string])[] = [
  ['', 'Overview'],
  ['findings', 'Findings'],
  ['explore', 'Explore'],
  ['events', 'Events'],
  ['tenants', 'Tenants'],
  ['reconcile', 'Reconcile'],
  ['energy', 'Energy'],
  ['months', 'Months']
]

const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d']
/** What the API takes when nothing is said. */
const RANGE_DEFAULT = '24h'

/** Views of one thing belong to the list that it stands in. */
const LISTS: Readonly<Record<string, string>> = { incidents: 'findings', traces: 'events' }
const WITHOUT_RANGE = new Set(['findings', 'incidents', 'traces', 'months'])

export const Shell = (props: { title: string; children: ComponentChildren }) => {
  const { place, to } = useHere()
  const current = LISTS[place.view] ?? place.view
  const hasRange = !WITHOUT_RANGE.has(place.view) && !(place.view === 'tenants' && place.id !== '')
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header>
        <strong class="brand">Tallystream</strong>
        <nav aria-label="Views">
          {VIEWS.map(([view, title]) => (
            <Link href={to(`/${view}`)} current={view === current}>
              {title}
            </Link>
          ))}
        </nav>
        <Theme />
      </header>
      <main id="main" tabIndex={-1}>
        <div class="top">
          <h1>{props.title}</h1>
          {hasRange && <Range />}
        </div>
        {props.children}
      </main>
      <footer>
        <a href="/openapi.json">API</a> · times are UTC · costs are metered, not billed
      </footer>
    </>
  )
}

const Range = () => {
  const { place, here } = useHere()
  const last = place.query.get('last')
  const from = place.query.get('from')
  const to = place.query.get('to')
  const chosen = last ?? (from === null ? RANGE_DEFAULT : 'custom')
  const choose = (value: string): void =>
    goTo(here({ from: null, to: null, last: value === RANGE_DEFAULT ? null : value }))
  return (
    <div class="range">
      <label>
        Range{' '}
        <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
          {[...new Set([...RANGES, ...(chosen === 'custom' ? [] : [chosen])])].map((range) => (
            <option value={range}>last {range}</option>
          ))}
          {chosen === 'custom' && <option value="custom">custom</option>}
        </select>
      </label>
      {from !== null && (
        <span class="soft">
          {from.slice(0, 16).replace('T', ' ')} – {to?.slice(0, 16).replace('T', ' ') ?? 'now'}
        </span>
      )}
    </div>
  )
}

const THEME = 'tally-theme'
const THEMES = ['system', 'light', 'dark'] as const

export const applyTheme = (theme: string | null): void => {
  const { dataset } = document.documentElement
  if (theme === 'light' || theme === 'dark') dataset['theme'] = theme
  else delete dataset['theme']
}

export const keptTheme = (): string => localStorage.getItem(THEME) ?? 'system'

const Theme = () => {
  const [theme, setTheme] = useState(keptTheme)
  const choose = (value: string): void => {
    setTheme(value)
    localStorage.setItem(THEME, value)
    applyTheme(value)
  }
  return (
    <label class="theme">
      Theme{' '}
      <select value={theme} onChange={(event) => choose(event.currentTarget.value)}>
        {THEMES.map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}
