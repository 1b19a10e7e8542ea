/** The text, or as much of it as fits with an ellipsis; never half of a surrogate pair. */
export const cutText = (text: string, lengthMax: number): string => {
  if (text.length <= lengthMax) return text
  const kept = text.slice(0, lengthMax - 1)
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}
