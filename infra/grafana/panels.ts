/** Pieces of Grafana dashboards, as JSON that Grafana reads since its version 10. */

export type DataSource = { type: string; uid: string }

/** DuckDB over the catalog, through the plugin of MotherDuck: `provisioning/datasources.yaml`. */
export const CATALOG: DataSource = { type: 'motherduck-duckdb-datasource', uid: 'tally-catalog' }
export const PROMETHEUS: DataSource = { type: 'prometheus', uid: 'tally-prometheus' }

export type Panel = {
  id: number
  type: 'timeseries' | 'table' | 'row'
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  [option: string]: unknown
}

export type PanelText = { title: string; description: string; unit: string }

/** A panel without its place. */
export type Draft = Omit<Panel, 'id' | 'gridPos'> & { width: number; height: number }

/** Grafana divides a row into so many columns. */
const GRID_COLUMNS = 24

/** A chart of lines over the data source's targets. */
export const chart = (
  { title, description, unit }: PanelText,
  datasource: DataSource,
  targets: readonly object[]
): Draft => ({
  type: 'timeseries',
  title,
  description,
  width: GRID_COLUMNS / 2,
  height: 8,
  datasource,
  targets,
  fieldConfig: {
    defaults: { unit, custom: { spanNulls: false, showPoints: 'auto' } },
    overrides: []
  },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } }
})

export const table = (
  { title, description }: PanelText,
  datasource: DataSource,
  targets: readonly object[]
): Draft => ({
  type: 'table',
  title,
  description,
  width: GRID_COLUMNS,
  height: 8,
  datasource,
  targets,
  fieldConfig: { defaults: {}, overrides: [] },
  options: { showHeader: true }
})

/** Puts panels side by side, from the top left to the bottom right. */
const place = (drafts: readonly Draft[]): Panel[] => {
  let [x, y, rowHeight] = [0, 0, 0]
  return drafts.map(({ width, height, ...draft }, index) => {
    if (x + width > GRID_COLUMNS) [x, y, rowHeight] = [0, y + rowHeight, 0]
    const gridPos = { x, y, w: width, h: height }
    x += width
    rowHeight = Math.max(rowHeight, height)
    return { ...draft, id: index + 1, gridPos } as Panel
  })
}

export type Dashboard = {
  uid: string
  title: string
  description: string
  panels: Panel[]
  [option: string]: unknown
}

type DashboardText = Pick<Dashboard, 'uid' | 'title' | 'description'> & { from: string }

export const dashboard = (
  { from, ...text }: DashboardText,
  variables: readonly object[],
  drafts: readonly Draft[]
): Dashboard => ({
  ...text,
  tags: ['tallystream'],
  schemaVersion: 39,
  editable: true,
  graphTooltip: 1,
  timezone: 'utc',
  refresh: '1m',
  time: { from, to: 'now' },
  templating: { list: variables },
  panels: place(drafts)
})
