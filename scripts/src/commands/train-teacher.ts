import { join } from 'node:path';
import { digestOf } from '@atelier/model-repository';
import { CONVOLUTIONAL_TEACHER, TEACHERS_DIRECTORY, trainTeacher } from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { loadDataset } from '../dataset.ts';
import { writeWholeFile } from '../files.ts';
import { interruptSignal } from '../interrupt.ts';
import { note, percent, print } from '../output.ts';
import type { Settings } from '../settings.ts';
import { TrainingProgress } from '../training-progress.ts';

export function trainTeacherCommand(settings: Settings) {
  return new Command('train-teacher')
    .description(
      'Train the convolutional network that recipes with distillation learn from, and write it with its facts.',
    )
    .option('--epochs <n>', 'instead of its own (for trying things)', wholeNumber(1, 10_000))
    .option('--out <folder>', 'where to write; default services/trainer/teachers', TEACHERS_DIRECTORY)
    .addHelpText('after', EXAMPLES)
    .action(async ({ epochs = CONVOLUTIONAL_TEACHER.epochs, out }) => {
      const signal = interruptSignal('Stopping; nothing is written.');
      const recipe = { ...CONVOLUTIONAL_TEACHER, epochs };
      const dataset = await loadDataset(settings, signal);
      const progress = new TrainingProgress();
      const { model, history, device } = await trainTeacher(recipe, dataset, {
        signal,
        onProgress: (state) => progress.update(state),
        onEpoch: async (report) => progress.epoch(report),
      }).finally(() => progress.stop());
      const validation = history.at(-1)?.validation;
      const digest = digestOf(model);
      const facts = { digest, recipe, data: dataset.digest, device, validation, writtenAt: new Date().toISOString() };
      const path = join(out, `${recipe.name}.onnx`);
      await writeWholeFile(path, model);
      await writeWholeFile(join(out, `${recipe.name}.json`), `${JSON.stringify(facts, null, 2)}\n`);
      print(`Written: ${path}, validation accuracy ${percent(validation?.accuracy ?? NaN)}`);
      note(`Recipes name it as: distillation: { teacher: '${recipe.name}', digest: '${digest}' }`);
    });
}

const EXAMPLES = `
Another teacher makes another model: a recipe names the digest of its teacher, which this prints.

Example:
  npm run train:teacher`;
