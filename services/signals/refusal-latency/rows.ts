/** Rows of numbers that are added at the end and thinned out now and then. */

export type Rows = {
  stride: number
  rows: number
  /** Room for more rows than there are. */
  numbers: Float64Array
}

const ROWS_START = 1024
/** Room is given back where less than this share of it is used. */
const USED_SHARE_MIN = 1 / 8

export const createRows = (stride: number, room = ROWS_START): Rows => ({
  stride,
  rows: 0,
  numbers: new Float64Array(Math.max(room, ROWS_START) * stride)
})

/** A new row at the end, whose numbers the caller writes. @returns its index. */
export const addRow = (rows: Rows): number => {
  if ((rows.rows + 1) * rows.stride > rows.numbers.length) {
    const larger = new Float64Array(2 * rows.numbers.length)
    larger.set(rows.numbers)
    rows.numbers = larger
  }
  return rows.rows++
}

/** Keeps these rows, in this order. */
export const keepRows = (rows: Rows, kept: readonly number[]): void => {
  const { stride, numbers } = rows
  const copy = new Float64Array(kept.length * stride)
  for (const [index, row] of kept.entries()) {
    copy.set(numbers.subarray(row * stride, (row + 1) * stride), index * stride)
  }
  const isRoomy = copy.length < numbers.length * USED_SHARE_MIN
  if (isRoomy) rows.numbers = new Float64Array(Math.max(ROWS_START * stride, 2 * copy.length))
  rows.numbers.set(copy)
  rows.rows = kept.length
}

/** What is used of the room. */
export const usedNumbers = ({ stride, rows, numbers }: Rows): Float64Array =>
  numbers.subarray(0, rows * stride)
