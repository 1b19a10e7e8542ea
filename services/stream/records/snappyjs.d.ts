/** The package ships no types. */
declare module 'snappyjs' {
  export const uncompress: (compressed: Uint8Array, maxLength: number) => Uint8Array
  export const compress: (plain: Uint8Array) => Uint8Array
}
