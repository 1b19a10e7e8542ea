import { useState } from 'preact/hooks'
import { goTo, useHere } from './here.ts'
import { Link } from './parts.tsx'

/** What the address filters by, as things to take away, and a field to add one. */
export const Filters = () => {
  const { place, here } = useHere()
  const [text, setText] = useState('')
  const filters = place.query.getAll('filter')
  const add = (event: Event): void => {
    event.preventDefault()
    if (text.trim() === '') return
    setText('')
    goTo(here({ filter: [...filters, text.trim()], cursor: null }))
  }
  return (
    <>
      <label>
        Filter
        <input
          value={text}
          size={28}
          placeholder="model:gpt-4o or route!:chat"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') add(event)
          }}
        />
      </label>
      <button type="button" onClick={add}>
        Add
      </button>
      {filters.map((filter) => (
        <Link href={here({ filter: filters.filter((one) => one !== filter), cursor: null })}>
          {filter} ✕<span class="unseen"> remove</span>
        </Link>
      ))}
    </>
  )
}
