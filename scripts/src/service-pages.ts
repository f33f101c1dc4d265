import { type OpenApiDocument, settingsOf } from '@atelier/http';
import type { z } from 'zod';
import { withPart } from './generated-part.ts';
import { markdownTable } from './measurements/markdown-table.ts';

/** A document with each of its parts written anew, between the marks of its name; `RangeError` without them. */
export function withParts(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => withPart(text, marksOf(name), part), document);
}

function marksOf(name: string) {
  return {
    begin: `<!-- ${name}: written by \`npm run generate:openapi\`. -->`,
    end: `<!-- End of ${name}. -->`,
  };
}

/** As much of an OpenAPI document as is read here. */
interface Operation {
  summary: string;
  security?: unknown[];
  responses: Record<string, { content?: Record<string, { examples?: Record<string, unknown> }> }>;
}

interface Route {
  name: string;
  summary: string;
  /** Without a token. */
  open: boolean;
  answers: string[];
  /** Their codes with their statuses. */
  problems: Map<string, string>;
}

function routesOf(api: OpenApiDocument): Route[] {
  const paths = api.paths as Record<string, Record<string, Operation>>;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) =>
      routeOf(`${method.toUpperCase()} ${withWords(path)}`, operation),
    ),
  );
}

/** `/runs/<id>`, as people write it. */
function withWords(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, '<$1>');
}

function routeOf(name: string, { summary, security, responses }: Operation): Route {
  const problems = new Map<string, string>();
  const answers: string[] = [];
  for (const [status, { content }] of Object.entries(responses)) {
    // Failures of any form have an example of each code.
    const { examples } = Object.values(content ?? {}).find((form) => form.examples !== undefined) ?? {};
    if (examples === undefined) answers.push(status);
    else for (const code of Object.keys(examples)) problems.set(code, status);
  }
  return { name, summary, open: security?.length === 0, answers, problems };
}

/** What every route may answer that wants the token. */
function commonCodes(all: readonly Route[]): string[] {
  const [first, ...others] = all.filter(({ open }) => !open);
  return [...(first?.problems.keys() ?? [])].filter((code) => others.every(({ problems }) => problems.has(code)));
}

/** Each route with what it answers. */
export function routesTable(api: OpenApiDocument): string {
  const all = routesOf(api);
  const common = commonCodes(all);
  const rows = all.map(({ name, summary, answers, problems }) => {
    const own = [...problems].filter(([code]) => !common.includes(code)).map(([, status]) => status);
    return [`\`${name}\``, summary, answers.join(', '), [...new Set(own)].sort().join(', ')];
  });
  return markdownTable(['Route', 'What it does', 'Answers', 'Problems'], rows);
}

/** Each code with the routes that may answer it, in the order of its status. */
export function problemsTable(api: OpenApiDocument): string {
  const all = routesOf(api);
  const common = commonCodes(all);
  const statuses = new Map(all.flatMap(({ problems }) => [...problems]));
  const rows = [...statuses]
    .sort(([one, its], [other, others]) => Number(its) - Number(others) || one.localeCompare(other))
    .map(([code, status]) => {
      const from = all.filter(({ problems }) => problems.has(code)).map(({ name }) => `\`${name}\``);
      const where = common.includes(code) ? 'every route' : from.length > 6 ? `${from.length} routes` : from.join(', ');
      return [status, `[${code}](errors.md#${code})`, where];
    });
  return markdownTable(['Status', 'Code', 'From'], rows);
}

/** Each setting with its default. */
export function settingsTable(schema: z.ZodObject, defaults: Readonly<Record<string, unknown>>): string {
  const rows = settingsOf(schema).map(({ field, variable, description }) => {
    const set = defaults[field] as string | number | readonly string[] | undefined;
    const value = (Array.isArray(set) ? set.join() : set?.toString()) ?? '';
    return [`\`${variable}\``, value === '' ? 'none' : `\`${value}\``, description];
  });
  return markdownTable(['Variable', 'Default', ''], rows);
}
