import { writeSync } from 'node:fs'

/** Preloaded: tells at the end of a process what all of it took, on descriptor 3. */
const MIB_IN_KIB = 1024

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const used = {
    seconds: Math.round(process.uptime() * 10) / 10,
    cpu_seconds: Math.round((userCPUTime + systemCPUTime) / 1e5) / 10,
    memory_mib_max: Math.round(maxRSS / MIB_IN_KIB)
  }
  writeSync(3, JSON.stringify(used))
})
