type Row = Readonly<Record<string, number | string | null>>

/** Calls with a local count `l` and a reported one `r` of their output, as worlds make them. */
export const callsOf = (rows: readonly Row[]): Row[] => {
  let conversation = 0
  return rows.map((row) => {
    // Further calls of a conversation count as no cluster of their own.
    conversation += Number(row['clusters'])
    return { ...row, local_out: row['l']!, reported_out: row['r']!, conversation }
  })
}
