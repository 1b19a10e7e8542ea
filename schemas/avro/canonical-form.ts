/**
 * Avro's Parsing Canonical Form: the part of a schema that decides how bytes are read, in one
 * fixed spelling, so that its fingerprint does not change with comments or order of attributes.
 * Source: Apache Avro specification, "Transforming into Parsing Canonical Form".
 */

/** Attributes that parsing depends on, in the order in which the form lists them. */
const ATTRIBUTES = ['name', 'type', 'fields', 'symbols', 'items', 'values', 'size'] as const

const NAMED = new Set(['record', 'error', 'enum', 'fixed'])
const PRIMITIVES = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
  'array',
  'map',
  ...NAMED
])

type Attributes = Readonly<Record<string, unknown>>

const isAttributes = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const fullName = (name: string, namespace: string): string =>
  PRIMITIVES.has(name) || name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

const namespaceOf = (schema: Attributes, inherited: string): string => {
  const name = schema['name']
  if (typeof name === 'string' && name.includes('.')) return name.slice(0, name.lastIndexOf('.'))
  return typeof schema['namespace'] === 'string' ? schema['namespace'] : inherited
}

const recordField = (field: unknown, namespace: string): string => {
  if (!isAttributes(field)) throw new TypeError(`not a field of a record: ${String(field)}`)
  return `{"name":${JSON.stringify(field['name'])},"type":${schemaForm(field['type'], namespace)}}`
}

const attributeForm = (schema: Attributes, key: string, namespace: string): string => {
  const value = schema[key]
  if (key === 'name') return JSON.stringify(fullName(String(value), namespace))
  if (key === 'fields' && Array.isArray(value)) {
    return `[${value.map((field) => recordField(field, namespace)).join()}]`
  }
  if (key === 'symbols' || key === 'size') return JSON.stringify(value)
  return schemaForm(value, namespace)
}

const complexForm = (schema: Attributes, inherited: string): string => {
  const type = schema['type']
  if (typeof type !== 'string') return schemaForm(type, inherited)
  const isComplex = NAMED.has(type) || type === 'array' || type === 'map'
  if (!isComplex) return schemaForm(type, inherited)
  const namespace = NAMED.has(type) ? namespaceOf(schema, inherited) : inherited
  const parts = ATTRIBUTES.filter((key) => schema[key] !== undefined).map(
    (key) => `"${key}":${attributeForm(schema, key, namespace)}`
  )
  return `{${parts.join()}}`
}

const schemaForm = (schema: unknown, namespace: string): string => {
  if (typeof schema === 'string') return JSON.stringify(fullName(schema, namespace))
  if (Array.isArray(schema)) return `[${schema.map((one) => schemaForm(one, namespace)).join()}]`
  if (isAttributes(schema)) return complexForm(schema, namespace)
  throw new TypeError(`not an Avro schema: ${String(schema)}`)
}

/** The canonical text of a schema given as parsed JSON. */
export const parsingCanonicalForm = (schema: unknown): string => schemaForm(schema, '')
