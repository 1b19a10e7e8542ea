import { render, type ComponentChild } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Here, useAddress } from './here.ts'
import { applyTheme, keptTheme, Shell } from './shell.tsx'
import { EnergyView } from './views/energy.tsx'
import { EventsView } from './views/events.tsx'
import { ExploreView } from './views/explore.tsx'
import { FindingsView } from './views/findings.tsx'
import { IncidentView } from './views/incident.tsx'
import { MonthsView } from './views/months.tsx'
import { OverviewView } from './views/overview.tsx'
import { ReconcileView } from './views/reconcile.tsx'
import { TenantView } from './views/tenant.tsx'
import { TenantsView } from './views/tenants.tsx'
import { TraceView } from './views/trace.tsx'

type View = { title: (id: string) => string; body: () => ComponentChild }

const one = (title: string, body: () => ComponentChild): View => ({ title: () => title, body })

/** Views by the first part of their address; with something behind it, they are about that thing. */
const LISTS: Readonly<Record<string, View>> = {
  '': one('Overview', () => <OverviewView />),
  findings: one('Findings', () => <FindingsView />),
  explore: one('Explore', () => <ExploreView />),
  events: one('Events', () => <EventsView />),
  tenants: one('Tenants', () => <TenantsView />),
  reconcile: one('Reconcile', () => <ReconcileView />),
  energy: one('Energy', () => <EnergyView />),
  months: one('Months', () => <MonthsView />)
}
const THINGS: Readonly<Record<string, View>> = {
  incidents: one('Incident', () => <IncidentView />),
  traces: { title: (id) => `Trace ${id}`, body: () => <TraceView /> },
  tenants: { title: (id) => `Tenant ${id}`, body: () => <TenantView /> }
}
const NOTHING: View = one('Nothing here', () => <p>There is no such view.</p>)

const Page = () => {
  const place = useAddress()
  const view = (place.id === '' ? LISTS : THINGS)[place.view] ?? NOTHING
  const title = view.title(place.id)
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${title} · Tallystream`
    // Whoever hears the page is told of the new view; the first one is read anyway.
    if (!isFirst.current) document.getElementById('main')?.focus()
    isFirst.current = false
  }, [title])
  return (
    <Here.Provider value={place}>
      <Shell title={title}>{view.body()}</Shell>
    </Here.Provider>
  )
}

applyTheme(keptTheme())
render(<Page />, document.body)
