/** Bytes, and the same bytes to be read by words. */
export type Memory = { readonly bytes: Uint8Array; readonly view: DataView }

export const memoryOf = (bytes: Uint8Array): Memory => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
})
