import { readFile, writeFile } from 'node:fs/promises'
import { calibrate } from './calibrate.ts'

// Repeats the calibration: reference rows in, factor file and page out.
const at = (path: string): URL => new URL(path, import.meta.url)
const { factorsJson, page } = calibrate(await readFile(at('reference/rows.csv'), 'utf8'))
await writeFile(at('../../services/rates/energy/factors.json'), factorsJson)
await writeFile(at('../ENERGY.md'), page)
