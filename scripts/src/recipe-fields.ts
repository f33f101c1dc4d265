import { Recipe } from '@atelier/domain';
import { z } from 'zod';

/** As much of JSON Schema as zod writes for a recipe. */
interface Schema {
  description?: string;
  default?: string | number | boolean | null | { kind?: string };
  type?: string;
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
  anyOf?: Schema[];
  oneOf?: Schema[];
}

const COLUMNS = 120;

const BEGIN = '<!-- Recipe fields: written from packages/domain/src/recipe.ts by `npm run generate:recipe-fields`. -->';
const END = '<!-- End of recipe fields. -->';

/** `document` with the list of a recipe's fields written anew between its two marks; without them it is a `RangeError`. */
export function withRecipeFields(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`The document lacks the marks "${BEGIN}" and "${END}" in order.`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${recipeFields()}\n\n${document.slice(end)}`;
}

/** A nested Markdown list: each field with its range, its default and its sentence. */
function recipeFields(): string {
  return fieldsOf(z.toJSONSchema(Recipe, { io: 'input' }) as Schema, 0).join('\n');
}

function fieldsOf({ properties = {} }: Schema, depth: number): string[] {
  return Object.entries(properties).flatMap(([name, field]) => fieldLines(name, field, depth));
}

function fieldLines(name: string, field: Schema, depth: number): string[] {
  const kinds = field.oneOf;
  const inner = field.anyOf?.find(({ type }) => type !== 'null') ?? field;
  const listed = inner.items === undefined || inner.items === false ? inner : inner.items;
  const nested =
    kinds === undefined ? fieldsOf(listed, depth + 1) : kinds.flatMap((kind) => kindLines(kind, depth + 1));
  const notes = [
    kinds === undefined ? valuesOf(inner) : 'one of the kinds below',
    ...(inner === field ? [] : ['or `null`']),
    ...defaultOf(field),
  ];
  return [...item(`\`${name}\` (${notes.join(', ')}): ${field.description ?? ''}.`, depth), ...nested];
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
  const { type = 'object' } = schema;
  if (type === 'array') {
    return schema.items === false ? 'two numbers, ascending' : `list of ${schema.minItems} to ${schema.maxItems}`;
  }
  if (type === 'string') {
    const length = schema.maxLength === undefined ? 'text' : `text of at most ${schema.maxLength} characters`;
    return schema.pattern === undefined ? length : `${length}, \`${schema.pattern}\``;
  }
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'object') return 'object';
  return [type === 'integer' ? 'whole number' : type, ...bounds(schema)].join(' ');
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string[] {
  const lower = [
    ...(minimum === undefined ? [] : [`from ${grouped(minimum)}`]),
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
