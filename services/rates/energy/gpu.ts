/**
 * What a GPU can do at most: board power, memory bandwidth, dense bf16 arithmetic. Figures are the
 * vendors' data sheets. `kin` names the measured GPU whose fitted factor stands in for one that no
 * open measurement covers.
 */
export type GpuSpec = {
  name: string
  /** Pattern over the lower-case name as exporters and cloud APIs print it. */
  match: RegExp
  powerWattsMax: number
  memoryBytesPerSecond: number
  bf16FlopPerSecond: number
  memoryGigabytes: number
  /** Year of first availability; serving software on it can not be older. */
  yearAvailable: number
  kin: string | null
}

type SpecRow = [
  name: string,
  match: RegExp,
  watts: number,
  terabytesPerSecond: number,
  teraflops: number,
  gigabytes: number,
  year: number,
  kin: string | null
]

// The more specific pattern comes first: `A100-SXM4-80GB` before `A100`.
const ROWS: readonly SpecRow[] = [
  ['GB200', /gb[23]00/, 1200, 8, 2500, 186, 2025, 'B200'],
  ['B300', /\bb300/, 1400, 8, 2500, 288, 2025, 'B200'],
  ['B200', /\bb200/, 1000, 8, 2250, 180, 2025, 'B200'],
  ['GH200', /gh200/, 700, 4, 989, 96, 2023, 'GH200'],
  ['H200', /\bh200/, 700, 4.8, 989, 141, 2024, 'H100'],
  ['H100 NVL', /h100[- ]?nvl/, 400, 3.9, 835, 94, 2023, 'H100'],
  ['H100 PCIe', /h100[- ]?pcie/, 350, 2, 756, 80, 2023, 'H100'],
  ['H800', /\bh800/, 700, 3.35, 989, 80, 2023, 'H100'],
  ['H20', /\bh20\b/, 400, 4, 148, 96, 2024, 'H100'],
  ['H100', /\bh100|p5\.48/, 700, 3.35, 989, 80, 2022, 'H100'],
  ['A100-80GB', /a[18]00.*80 ?g|p4de/, 400, 2.039, 312, 80, 2021, 'A100-40GB'],
  ['A100-40GB', /\ba[18]00/, 400, 1.555, 312, 40, 2020, 'A100-40GB'],
  ['L40S', /l40s/, 350, 0.864, 362, 48, 2023, 'L4'],
  ['L40', /\bl40\b/, 300, 0.864, 181, 48, 2023, 'L4'],
  ['L4', /\bl4\b/, 72, 0.3, 121, 24, 2023, 'L4'],
  ['A10', /\ba10g?\b/, 150, 0.6, 125, 24, 2021, 'A100-40GB'],
  ['A40', /\ba40\b/, 300, 0.696, 150, 48, 2021, 'A100-40GB'],
  ['A30', /\ba30\b/, 165, 0.933, 165, 24, 2021, 'A100-40GB'],
  ['V100', /v100/, 300, 0.9, 125, 32, 2017, 'A100-40GB'],
  ['T4', /\bt4\b/, 70, 0.32, 65, 16, 2018, 'L4'],
  ['RTX 5090', /5090/, 575, 1.79, 210, 32, 2025, null],
  ['RTX 4090', /4090/, 450, 1.008, 165, 24, 2022, null],
  ['RTX 3090', /3090/, 350, 0.936, 71, 24, 2020, null],
  ['MI355X', /mi35[05]/, 1400, 8, 2300, 288, 2025, null],
  ['MI325X', /mi325/, 1000, 6, 1307, 256, 2024, null],
  ['MI300X', /mi300/, 750, 5.3, 1307, 192, 2023, null],
  ['MI250X', /mi250/, 560, 3.2, 383, 128, 2021, null]
]

const TERA = 1e12

const specOf = (row: SpecRow): GpuSpec => ({
  name: row[0],
  match: row[1],
  powerWattsMax: row[2],
  memoryBytesPerSecond: row[3] * TERA,
  bf16FlopPerSecond: row[4] * TERA,
  memoryGigabytes: row[5],
  yearAvailable: row[6],
  kin: row[7]
})

export const GPUS: readonly GpuSpec[] = ROWS.map(specOf)

/** The GPU that hosted models are assumed to run on when nothing is known. */
export const DEFAULT_GPU = 'H100'

/** Finds a GPU by any name that exporters, clouds and people use; null when it is not known. */
export const findGpu = (name: string | null | undefined): GpuSpec | null => {
  if (name === null || name === undefined) return null
  const text = name.toLowerCase().replaceAll('_', '-')
  return GPUS.find(({ match }) => match.test(text)) ?? null
}

/** The GPU by its name in the table; throws when the table lacks it, which is a defect. */
export const gpuByName = (name: string): GpuSpec => {
  const spec = GPUS.find((gpu) => gpu.name === name)
  if (spec === undefined) throw new RangeError(`no GPU named ${name}`)
  return spec
}

/** Whether open measurements of serving exist for exactly this GPU. */
export const isMeasured = (gpu: GpuSpec): boolean => gpu.kin === gpu.name
