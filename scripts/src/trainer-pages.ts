import { NewRunBody, readTrainerConfig, RunEvent, trainerApi, TrainerConfig } from '@atelier/trainer';
import { fieldList } from './field-list.ts';
import { problemsTable, routesTable, settingsTable, withParts } from './service-pages.ts';

/** `docs/openapi-trainer.json`. */
export function trainerDocument(): string {
  return `${JSON.stringify(trainerApi(), null, 2)}\n`;
}

/** `docs/trainer-api.md` with its generated parts written anew; `RangeError` without their marks. */
export function withTrainerApi(document: string): string {
  const api = trainerApi();
  const tables = { routes: routesTable(api), problems: problemsTable(api) };
  return withParts(document, { ...tables, 'new-run': newRunFields(), events: eventFields() });
}

/** The trainer's README with the table of its settings written anew; `RangeError` without its marks. */
export function withTrainerSettings(readme: string): string {
  return withParts(readme, { settings: settingsTable(TrainerConfig, readTrainerConfig({})) });
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
