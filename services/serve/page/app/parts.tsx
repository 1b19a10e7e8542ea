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
}

export const Table = <Row,>(props: {
  title: string
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  none: string
}) =>
  props.rows.length === 0 ? (
    <p class="soft">{props.none}</p>
  ) : (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.title}>
      <table>
        <thead>
          <tr>
            {props.columns.map(({ title, isNumber }) => (
              <th scope="col" class={isNumber === true ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr>
              {props.columns.map(({ cell, isNumber }) => (
                <td class={isNumber === true ? 'number' : ''}>{cell(row)}</td>
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
    <meter min={0} max={props.of || 1} value={Number(props.value ?? 0)} aria-label={props.text} />
    {props.value === null ? NONE : props.text}
  </span>
)

export const Badge = (props: { kind: string; children: ComponentChildren }) => (
  <span class={`badge ${props.kind}`}>{props.children}</span>
)
