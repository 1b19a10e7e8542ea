import { Failure } from '../../../schemas/failure.ts'

/** An Avro schema as JSON, resolved just far enough to walk binary data. */
export type AvroNode =
  | { kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes' }
  | { kind: 'time'; unit: 'ms' | 'us' }
  | { kind: 'fixed'; size: number }
  | { kind: 'enum'; symbols: readonly string[] }
  | { kind: 'array' | 'map'; items: AvroNode }
  | { kind: 'union'; branches: readonly AvroNode[] }
  | { kind: 'record'; fields: { name: string; node: AvroNode }[] }

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'] as const
type Names = Map<string, AvroNode>
type Json = Readonly<Record<string, unknown>>

/** Resolves a parsed Avro schema. @throws Failure E_SCHEMA_UNKNOWN for what is no schema. */
export const resolveAvro = (schema: unknown, names: Names = new Map(), space = ''): AvroNode => {
  if (Array.isArray(schema)) {
    return resolveUnion(schema.map((branch) => resolveAvro(branch, names, space)))
  }
  if (typeof schema === 'string') return resolveName(schema, names, space)
  if (typeof schema === 'object' && schema !== null)
    return resolveObject(schema as Json, names, space)
  throw new Failure('E_SCHEMA_UNKNOWN', `no Avro schema: ${JSON.stringify(schema)}`)
}

/** Types without a name, and unions, may not stand in one union twice or at all (Avro, "Unions"). */
const resolveUnion = (branches: readonly AvroNode[]): AvroNode => {
  const kinds = branches.map(({ kind }) => (kind === 'time' ? 'long' : kind))
  const unnamed = kinds.filter((kind) => kind !== 'record' && kind !== 'enum' && kind !== 'fixed')
  const doubled = unnamed.find((kind, at) => kind === 'union' || unnamed.indexOf(kind) !== at)
  if (doubled === undefined) return { kind: 'union', branches }
  throw new Failure('E_SCHEMA_UNKNOWN', `a union holds ${doubled} within or twice`)
}

const resolveName = (name: string, names: Names, space: string): AvroNode => {
  const primitive = PRIMITIVES.find((known) => known === name)
  if (primitive !== undefined) return { kind: primitive }
  const known = names.get(name) ?? names.get(`${space}.${name}`)
  if (known !== undefined) return known
  throw new Failure('E_SCHEMA_UNKNOWN', `unknown Avro type ${JSON.stringify(name)}`)
}

const resolveObject = (schema: Json, names: Names, space: string): AvroNode => {
  switch (schema['type']) {
    case 'record':
    case 'error':
      return resolveRecord(schema, names, space)
    case 'enum':
      return register(schema, names, space, {
        kind: 'enum',
        symbols: schema['symbols'] as string[]
      })
    case 'fixed':
      return register(schema, names, space, { kind: 'fixed', size: Number(schema['size']) })
    case 'array':
      return { kind: 'array', items: resolveAvro(schema['items'], names, space) }
    case 'map':
      return { kind: 'map', items: resolveAvro(schema['values'], names, space) }
    case 'long':
      return resolveLong(schema)
    default:
      return resolveAvro(schema['type'], names, space)
  }
}

const resolveLong = (schema: Json): AvroNode => {
  const logical = schema['logicalType']
  if (logical === 'timestamp-micros') return { kind: 'time', unit: 'us' }
  if (logical === 'timestamp-millis') return { kind: 'time', unit: 'ms' }
  return { kind: 'long' }
}

const resolveRecord = (schema: Json, names: Names, space: string): AvroNode => {
  const node: Extract<AvroNode, { kind: 'record' }> = { kind: 'record', fields: [] }
  const inner = register(schema, names, space, node)
  const own = typeof schema['namespace'] === 'string' ? schema['namespace'] : space
  // Registered before its fields, since a record may hold itself.
  for (const field of schema['fields'] as Json[]) {
    node.fields.push({ name: String(field['name']), node: resolveAvro(field['type'], names, own) })
  }
  return inner
}

/** Full and short names both resolve. */
const register = (schema: Json, names: Names, space: string, node: AvroNode): AvroNode => {
  const name = String(schema['name'])
  const own = typeof schema['namespace'] === 'string' ? schema['namespace'] : space
  names.set(name, node)
  if (own !== '') names.set(`${own}.${name}`, node)
  return node
}
