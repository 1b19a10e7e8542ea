import { useEffect, useState } from 'preact/hooks'

/** The theme, for what is drawn on a canvas. */

/** A colour of the theme as a canvas takes it: variables are resolved by setting them. */
export const colour = (element: HTMLElement, name: string): string => {
  const before = element.style.color
  element.style.color = `var(${name})`
  const resolved = getComputedStyle(element).color
  element.style.color = before
  return resolved
}

/** Changes when the theme does, so that charts are drawn again. */
export const useTheme = (): string => {
  const [theme, setTheme] = useState('')
  useEffect(() => {
    const root = document.documentElement
    const system = matchMedia('(prefers-color-scheme: dark)')
    const look = (): void => setTheme(`${root.dataset['theme'] ?? ''} ${system.matches}`)
    const watch = new MutationObserver(look)
    watch.observe(root, { attributes: true, attributeFilter: ['data-theme'] })
    system.addEventListener('change', look)
    look()
    return () => {
      watch.disconnect()
      system.removeEventListener('change', look)
    }
  }, [])
  return theme
}
