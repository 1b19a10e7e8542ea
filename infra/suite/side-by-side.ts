/** Works through a list in its order, so many at once; results stand as their items do. */
export const sideBySide = async <Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>
): Promise<Result[]> => {
  const results: Result[] = []
  const queue = items.entries()
  const go = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, go))
  return results
}
