import { z } from 'zod';

/** As much of JSON Schema as zod writes for what we list. */
interface Schema {
  description?: string;
  default?: string | number | boolean | null | { kind?: string };
  type?: string | string[];
  format?: string;
  const?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema | false;
  additionalProperties?: Schema | false;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

const COLUMNS = 120;

/** A nested Markdown list of an object's fields, each with its range, its default and its sentence, below an item of `depth - 1`. */
export function fieldList(schema: z.ZodType, depth = 0): string[] {
  return fieldsOf(z.toJSONSchema(schema, { io: 'input' }) as Schema, depth);
}

function fieldsOf({ properties = {} }: Schema, depth: number): string[] {
  return Object.entries(properties).flatMap(([name, field]) => fieldLines(name, field, depth));
}

function fieldLines(name: string, field: Schema, depth: number): string[] {
  const named = field.additionalProperties === false ? undefined : field.additionalProperties;
  const kinds = field.oneOf ?? named?.oneOf;
  const inners = (field.anyOf ?? [field]).filter(({ type }) => type !== 'null');
  const inner = inners[0] ?? field;
  const listed = inner.items === undefined || inner.items === false ? inner : inner.items;
  const nested =
    kinds === undefined ? fieldsOf(listed, depth + 1) : kinds.flatMap((kind) => kindLines(kind, depth + 1));
  const notes = [
    kinds === undefined ? inners.map(valuesOf).join(' or ') : kindsOf(field),
    ...(isNullable(field) ? ['or `null`'] : []),
    ...defaultOf(field),
  ];
  const sentence = field.description === undefined ? '.' : `: ${field.description}.`;
  return [...item(`\`${name}\` (${notes.join(', ')})${sentence}`, depth), ...nested];
}

function kindsOf({ oneOf }: Schema): string {
  return oneOf === undefined ? 'object, each of its fields one of the kinds below' : 'one of the kinds below';
}

function isNullable({ type, anyOf = [] }: Schema): boolean {
  return (Array.isArray(type) && type.includes('null')) || anyOf.some((each) => each.type === 'null');
}

/** A kind's own fields stand below it; `kind` itself is its title. */
function kindLines({ properties = {} }: Schema, depth: number): string[] {
  const { kind = {}, ...others } = properties;
  const names = (kind.enum ?? [kind.const ?? '']).map((name) => `\`${name}\``).join(' or ');
  return [...item(`kind ${names}: ${kind.description ?? ''}.`, depth), ...fieldsOf({ properties: others }, depth + 1)];
}

function valuesOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const { type: types = 'object' } = schema;
  const type = Array.isArray(types) ? types.find((each) => each !== 'null') : types;
  if (type === 'array') {
    return schema.items === false ? 'two numbers, ascending' : `list of ${schema.minItems} to ${schema.maxItems}`;
  }
  if (type === 'string') {
    if (schema.format === 'date-time') return 'time as `2026-01-31T12:00:00.000Z`';
    const length = schema.maxLength === undefined ? 'text' : `text of at most ${schema.maxLength} characters`;
    return schema.pattern === undefined ? length : `${length}, \`${schema.pattern}\``;
  }
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'object') return 'object';
  return [type === 'integer' ? 'whole number' : type, ...bounds(schema)].join(' ');
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string[] {
  const lower = [
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? [] : [`from ${grouped(minimum)}`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${grouped(exclusiveMinimum)}`]),
  ];
  const upper = [
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`to ${grouped(maximum)}`]),
    ...(exclusiveMaximum === undefined ? [] : [`to below ${grouped(exclusiveMaximum)}`]),
  ];
  return [...lower, ...upper];
}

function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 10 });
}

/** Objects whose fields have defaults of their own need none. */
function defaultOf({ default: value }: Schema): string[] {
  const shown = typeof value === 'object' && value !== null ? value.kind : value;
  return shown === undefined ? [] : [`default \`${shown}\``];
}

/** A list item, its further lines indented below its first. */
function item(text: string, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const lines: string[] = [];
  let line = `${indent}-`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = `${indent} `;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
