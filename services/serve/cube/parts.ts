/** Files that one statement names. */
const FILES_AT_ONCE_MAX = 64

/** Files in parts that fit the memory; a file of more rows than that is a part of its own. */
export const partsOf = <File extends { rows: number }>(
  files: readonly File[],
  rowsMax: number
): File[][] => {
  const all: File[][] = []
  let rows = 0
  for (const file of files) {
    rows += file.rows
    const last = all.at(-1)
    if (last !== undefined && rows <= rowsMax && last.length < FILES_AT_ONCE_MAX) last.push(file)
    else {
      all.push([file])
      rows = file.rows
    }
  }
  return all
}
