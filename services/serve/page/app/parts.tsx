import type { ComponentChildren } from 'preact'
import { NONE } from './format.ts'

/** Pieces that views are made of. */

export const Link = (props: { href: string; children: ComponentChildren; current?: boolean }) => (
  <a data-within href={props.href} {...(props.current === true ? { 'aria-current': 'page' } : {})}>
    {props.children}
  </a>
)

export const Card = (props: { title: string; children: ComponentChildren; wide?: boolean }) => (
  <section class={props.wide === true ? 'card wide' : 'card'}>
    <h2>{props.title}</h2>
    {props.children}
  </section>
)

export const Figure = (props: {
  title: string
  value: ComponentChildren
  note?: ComponentChildren
}) => (
  <div class="figure">
    <dt>{props.title}</dt>
    <dd>{props.value}</dd>
    <dd class="note">{props.note}</dd>
  </div>
)

export type Column<Row> = {
  title: string
  cell: (row: Row) => ComponentChildren
  isNumber?: boolean
  /** Is never broken over lines. */
  isWhole?: boolean
}

const classOf = ({ isNumber, isWhole }: Pick<Column<never>, 'isNumber' | 'isWhole'>): string =>
  isNumber === true ? 'number' : isWhole === true ? 'whole' : ''

export const Table = <Row,>(props: {
  title: string
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  none: ComponentChildren
  /** On a telephone: each row reads down, or its values are broken over lines. */
  narrow?: 'down' | 'broken'
}) =>
  props.rows.length === 0 ? (
    <p class="soft">{props.none}</p>
  ) : (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.title}>
      <table class={props.narrow ?? ''}>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr>
              {props.columns.map((column) => (
                <td class={classOf(column)} data-title={column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )

/** A part of a whole, as text and as a bar. */
export const Share = (props: { value: number | string | null; of: number; text: string }) => (
  <span class="share">
    {props.value !== null && (
      <meter min={0} max={props.of || 1} value={Number(props.value)} aria-label={props.text} />
    )}
    <span>{props.value === null ? NONE : props.text}</span>
  </span>
)

export const Badge = (props: { kind: string; children: ComponentChildren }) => (
  <span class={`badge ${props.kind}`}>{props.children}</span>
)
