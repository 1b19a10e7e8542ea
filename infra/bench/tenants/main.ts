import { KafkaLog } from '../../../services/stream/kafka/log.ts'
import { copyWithTenants } from './copy.ts'

/**
 * Copies the topic FROM into TO with TENANTS tenants: their number is all that differs. With EVEN=1
 * its partitions hold equally many events.
 */
const { BROKERS = '', FROM = '', TO = '', TENANTS = '', EVEN = '' } = process.env
const log = new KafkaLog({ brokers: BROKERS.split(',') })
await copyWithTenants(log, { from: FROM, to: TO, tenants: Number(TENANTS), isEven: EVEN === '1' })
await log.close()
