import { settingsOf } from '@atelier/http';
import { NewRunBody, readTrainerConfig, RunEvent, trainerApi, TrainerConfig } from '@atelier/trainer';
import { fieldList } from './field-list.ts';
import { withPart } from './generated-part.ts';
import { markdownTable } from './measurements/markdown-table.ts';

/** `docs/openapi-trainer.json`. */
export function trainerDocument(): string {
  return `${JSON.stringify(trainerApi(), null, 2)}\n`;
}

/** `docs/trainer-api.md` with its generated parts written anew; `RangeError` without their marks. */
export function withTrainerApi(document: string): string {
  const parts = { routes: routesTable(), problems: problemsTable(), 'new-run': newRunFields(), events: eventFields() };
  return Object.entries(parts).reduce((text, [name, part]) => withPart(text, marksOf(name), part), document);
}

/** The trainer's README with the table of its settings written anew; `RangeError` without its marks. */
export function withTrainerSettings(readme: string): string {
  return withPart(readme, marksOf('settings'), settingsTable());
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

function routes(): Route[] {
  const paths = trainerApi().paths as Record<string, Record<string, Operation>>;
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
    const problem = content?.['application/problem+json'];
    if (problem === undefined) answers.push(status);
    else for (const code of Object.keys(problem.examples ?? {})) problems.set(code, status);
  }
  return { name, summary, open: security?.length === 0, answers, problems };
}

/** What every route may answer that wants the token. */
function commonCodes(all: readonly Route[]): string[] {
  const [first, ...others] = all.filter(({ open }) => !open);
  return [...(first?.problems.keys() ?? [])].filter((code) => others.every(({ problems }) => problems.has(code)));
}

function routesTable(): string {
  const all = routes();
  const common = commonCodes(all);
  const rows = all.map(({ name, summary, answers, problems }) => {
    const own = [...problems].filter(([code]) => !common.includes(code)).map(([, status]) => status);
    return [`\`${name}\``, summary, answers.join(', '), [...new Set(own)].sort().join(', ')];
  });
  return markdownTable(['Route', 'What it does', 'Answers', 'Problems'], rows);
}

/** Each code with the routes that may answer it, in the order of its status. */
function problemsTable(): string {
  const all = routes();
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

function newRunFields(): string {
  return fieldList(NewRunBody).join('\n');
}

/** What happened, for each event. */
const MEANINGS: Record<RunEvent['event'], string> = {
  queued: 'It waits: it was asked for, resumed, or its service stopped',
  started: 'Its process has the data and trains',
  step: 'How far the epoch is, about once a second',
  epoch: 'An epoch is over: a line of the history',
  checkpoint: 'The state after this epoch is on the disk; from here it would go on',
  interrupted: 'It was cut short and goes on by itself, or a trial has come to its rung',
  finished: 'The model is exported and proved',
  failed: 'It ended, and why',
  cancelled: 'Somebody, or its search, ended it',
  published: 'It became a version after it was finished',
};

function eventFields(): string {
  return RunEvent.options
    .flatMap(({ shape: { event, data } }) => {
      const name = event.value;
      return [`- \`${name}\`: ${MEANINGS[name]}.`, ...fieldList(data, 1)];
    })
    .join('\n');
}

function settingsTable(): string {
  const defaults: Record<string, string | number | undefined> = readTrainerConfig({});
  const rows = settingsOf(TrainerConfig).map(({ field, variable, description }) => {
    const value = defaults[field];
    return [`\`${variable}\``, value === undefined ? 'none' : `\`${String(value)}\``, description];
  });
  return markdownTable(['Variable', 'Default', ''], rows);
}
