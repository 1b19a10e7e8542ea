import { loadBook } from '../../rates/prices/book.ts'

/** The shipped prices. A site's own discounts are carried over by scaling to the metered cost. */
export const BOOK = await loadBook()
