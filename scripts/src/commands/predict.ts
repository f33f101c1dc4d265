import { readFile } from 'node:fs/promises';
import { DomainError, messageOf } from '@atelier/domain';
import {
  createImageDecoder,
  type ImageFacts,
  judgeAll,
  predictPictures,
  type Prediction,
  rank,
  readConfig,
} from '@atelier/inference';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { note, percent, print, printJson } from '../output.ts';
import { withPredictor } from '../published-predictor.ts';
import type { Settings } from '../settings.ts';

export function predictCommand(settings: Settings) {
  return new Command('predict')
    .description('Classify image files with the published version, without a server.')
    .argument('<file...>', 'JPEG, PNG, WebP, GIF, TIFF or AVIF')
    .option('--top <n>', 'classes to print', wholeNumber(1, 10), 3)
    .option('--version <n>', 'instead of the latest', wholeNumber(1))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  npm run predict -- shoe.png --top 1')
    .action(async (files, { top, version: asked, json }) => {
      await withPredictor(settings, asked ?? 'latest', async (predictor) => {
        const { name, version, manifest } = predictor.version;
        if (!json) note(`${name} version ${version} on ${predictor.device.actual}`);
        const decode = createImageDecoder(readConfig({}).maximumPixels);
        const predictions = [];
        for (const file of files) {
          try {
            const { image, facts } = await decode(await readImage(file));
            const answered = await predictPictures(predictor, { images: image, facts: [facts] });
            const judgements = judgeAll(manifest, answered.outputs);
            const [prediction] = rank(answered.outputs.probabilities, top, judgements);
            if (prediction === undefined) throw new Error('The model gave no answer.');
            predictions.push({ file, ...prediction, image: answered.facts?.[0] ?? facts });
            if (!json) print(`${file}: ${describe(prediction)}${describeDoubts(prediction, facts)}`);
          } catch (error) {
            process.exitCode = 1; // the other files get their answers
            note(`${file}: ${messageOf(error)}${error instanceof DomainError ? ` (${error.code})` : ''}`);
          }
        }
        if (json)
          printJson({ model: { name, version, digest: manifest.digest }, device: predictor.device, predictions });
      });
    });
}

async function readImage(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? messageOf(cause)})`, {
      cause,
    });
  });
}

/** Why not to believe the answer; nothing where nothing is known against it. */
function describeDoubts({ abstain = false }: Prediction, { warnings }: ImageFacts): string {
  const doubts = [...(abstain ? ['the model says not to believe it'] : []), ...warnings];
  return doubts.length === 0 ? '' : ` (${doubts.join(', ')})`;
}

function describe({ probabilities }: Prediction): string {
  return probabilities.map(({ label, probability }) => `${label} ${percent(probability)}`).join(', ');
}
