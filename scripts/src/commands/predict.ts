import { readFile } from 'node:fs/promises';
import { DomainError, messageOf } from '@atelier/domain';
import { createImageDecoder, rank, readConfig } from '@atelier/inference';
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
    .option('--model-version <n>', 'instead of the latest', wholeNumber(1))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  npm run predict -- shoe.png --top 1')
    .action(async (files, { top, modelVersion, json }) => {
      await withPredictor(settings, modelVersion ?? 'latest', async (predictor) => {
        const decode = createImageDecoder(readConfig({}).maximumPixels);
        const results = [];
        for (const file of files) {
          const [prediction] = rank(await predictor.predict(await decodeFile(file, decode)), top);
          if (prediction !== undefined) results.push({ file, ...prediction });
        }
        const { name, version, manifest } = predictor.version;
        if (json)
          printJson({
            model: { name, version, digest: manifest.digest },
            device: predictor.device,
            predictions: results,
          });
        else {
          note(`${name} version ${version} on ${predictor.device}`);
          for (const { file, probabilities } of results) {
            print(
              `${file}: ${probabilities.map(({ label, probability }) => `${label} ${percent(probability)}`).join(', ')}`,
            );
          }
        }
      });
    });
}

/** The image, or a failure that names the file. */
async function decodeFile(file: string, decode: (bytes: Buffer) => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await decode(await readFile(file));
  } catch (error) {
    const code = error instanceof DomainError ? error.code : 'undecodable-image';
    throw new DomainError(code, `${file}: ${messageOf(error)}`, { cause: error });
  }
}
