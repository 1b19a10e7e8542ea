import type { FieldKind } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import type { Builder } from './builders.ts'

/** A column that fields of a writer's schema may fill. */
export type Target = { column: string; kind: FieldKind; builder: Builder }

/** @throws Failure E_SCHEMA_UNKNOWN */
export const mismatch = (node: AvroNode, wanted: string): never => {
  throw new Failure('E_SCHEMA_UNKNOWN', `Avro ${node.kind} can not fill a column of ${wanted}`)
}
