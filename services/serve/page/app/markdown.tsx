import { readMarkdown, readSpans, type Block } from './read-markdown.ts'

/** Markdown as elements: text can never become markup. */
export const Markdown = ({ text }: { text: string }) => (
  <div class="prose">{readMarkdown(text).map(blockOf)}</div>
)

const blockOf = (block: Block) => {
  switch (block.kind) {
    case 'heading':
      // The card's own title is of level 2.
      return block.level === 1 ? (
        <p class="lead">
          <Spans text={block.text} />
        </p>
      ) : (
        <h3>
          <Spans text={block.text} />
        </h3>
      )
    case 'code':
      return <pre tabIndex={0}>{block.text}</pre>
    case 'table':
      return <Rows rows={block.rows} />
    case 'paragraph':
      return (
        <p>
          <Spans text={block.text} />
        </p>
      )
    case 'list': {
      const items = block.items.map((item) => (
        <li>
          <Spans text={item} />
        </li>
      ))
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>
    }
  }
}

const Rows = ({ rows: [head = [], ...rows] }: { rows: string[][] }) => (
  <table>
    <thead>
      <tr>
        {head.map((cell) => (
          <th scope="col">{cell}</th>
        ))}
      </tr>
    </thead>
    <tbody>
      {rows.map((row) => (
        <tr>
          {row.map((cell) => (
            <td>
              <Spans text={cell} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
)

const Spans = ({ text }: { text: string }) => (
  <>
    {readSpans(text).map(({ kind, text: inner, href }) => {
      if (kind === 'code') return <code>{inner}</code>
      if (kind === 'strong') return <strong>{inner}</strong>
      return kind === 'link' ? <a href={href ?? ''}>{inner}</a> : inner
    })}
  </>
)
