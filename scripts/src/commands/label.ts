import { DomainError, ModelName } from '@atelier/domain';
import {
  changeLabels,
  type LabelChange,
  type Labels,
  promoteCanary,
  readLabels,
  rollBack,
  versionNumbers,
} from '@atelier/model-repository';
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { print, printJson } from '../output.ts';
import { MODEL_NAME, type Settings } from '../settings.ts';

/** What was asked for; false: `--no-...`. */
interface Wish {
  stable?: number | boolean;
  canary?: number | boolean;
  rollback?: true;
  promote?: true;
}

export function labelCommand(settings: Settings) {
  return new Command('label')
    .description(
      'Say which published version is stable and which the canary, or go back. Services follow by themselves.',
    )
    .argument('[model]', 'whose versions', modelName, MODEL_NAME)
    .option('--stable <n>', 'the version that answers', wholeNumber(1))
    .option('--no-stable', 'the newest usable version answers')
    .option('--canary <n>', 'the version that is tried on a share of the requests', wholeNumber(1))
    .option('--no-canary', 'no version is')
    .addOption(
      new Option('--rollback', 'what was stable before is stable again').conflicts(['stable', 'canary', 'promote']),
    )
    .addOption(new Option('--promote', 'the canary becomes stable').conflicts(['stable', 'canary']))
    .option('--json', 'print the labels as JSON')
    .addHelpText(
      'after',
      `
Without an option that changes them, prints the labels.

Examples:
  npm run label -- --stable 2 --canary 3
  npm run label -- --promote
  npm run label -- --rollback`,
    )
    .action(async (model, { json, ...wish }) => {
      const root = settings.modelsDirectory;
      const numbers = await versionNumbers(root, model);
      if (numbers.length === 0) throw new DomainError('model-not-found', `No version of "${model}" in ${root}.`);
      const labels = await carryOut(root, model, wish);
      if (json) printJson({ name: model, ...labels, versions: numbers });
      else print(describe(model, labels, numbers));
    });
}

function carryOut(root: string, model: string, wish: Wish): Promise<Labels> {
  if (wish.rollback === true) return rollBack(root, model);
  if (wish.promote === true) return promoteCanary(root, model);
  const change: LabelChange = {};
  if (typeof wish.stable === 'number') change.stable = wish.stable;
  if (wish.stable === false) change.stable = null;
  if (typeof wish.canary === 'number') change.canary = wish.canary;
  if (wish.canary === false) change.canary = null;
  return Object.keys(change).length === 0 ? readLabels(root, model) : changeLabels(root, model, change);
}

function describe(model: string, { stable, canary, previous }: Labels, numbers: readonly number[]): string {
  return [
    `${model}: versions ${numbers.join(', ')}`,
    `  stable    ${stable ?? 'the newest that can be served'}`,
    `  canary    ${canary ?? 'none'}`,
    `  previous  ${previous ?? 'none'}`,
  ].join('\n');
}

function modelName(text: string): string {
  const parsed = ModelName.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('Expected lower-case words and digits joined by hyphens.');
}
