import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CLASS_NAMES } from '@atelier/domain';
import { PREPROCESSING } from '@atelier/inference';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { writeResultPart } from '../comparison/result-parts.ts';
import { writeWholeFile } from '../files.ts';
import { note, print } from '../output.ts';
import { answerPhotos, type RenderedPhoto } from '../photos/answer-photos.ts';
import { type Photo, photoSet } from '../photos/photo-set.ts';
import { PhotoResults, tabulate } from '../photos/photo-results.ts';
import { PHOTO_RESULTS } from '../photos/read-photo-results.ts';
import { photosPart } from '../photos/render-photos.ts';
import { renderPhoto } from '../photos/render-photo.ts';
import { withPredictor } from '../published-predictor.ts';
import type { Settings } from '../settings.ts';

/** Of the pictures that docs/results.md is about: nothing was chosen on those of this seed. */
const SEED = 2026;

export function photosCommand(settings: Settings) {
  return new Command('photos')
    .description('Draw photos of garments, classify them in several ways, and write how well into docs/results.md.')
    .option('--seed <n>', 'other pictures; then the figures are printed instead', wholeNumber(0, 2 ** 31 - 1), SEED)
    .option('--version <n>', 'instead of the latest', wholeNumber(1))
    .option('--pictures <folder>', 'write the pictures there, a folder for each class, and classify nothing')
    .option('--print', 'print the figures and leave the page as it is')
    .addHelpText('after', EXAMPLES)
    .action(async ({ seed, version: asked, pictures, print: isPrinted = false }) => {
      const photos = await rendered(photoSet(seed));
      if (pictures !== undefined) {
        await writePictures(photos, resolve(pictures));
        print(`Written: ${photos.length} pictures in ${resolve(pictures)}`);
        return;
      }
      const results = await withPredictor(settings, asked ?? 'latest', async (predictor) => {
        const { name, version, manifest } = predictor.version;
        note(`${name} version ${version} on ${predictor.device.actual}`);
        return PhotoResults.parse({
          writtenAt: new Date().toISOString(),
          seed,
          model: { name, version, digest: manifest.digest },
          preprocessing: PREPROCESSING,
          ...tabulate(await answerPhotos(photos, predictor)),
        });
      });
      if (isPrinted || seed !== SEED) print(photosPart(results));
      else print(`Written: ${await writeResultPart(join(settings.root, 'docs'), PHOTO_RESULTS, results)}`);
    });
}

/** All of them first: whoever decodes uploads afterwards, in this process too, may not read drawings. */
async function rendered(photos: readonly Photo[]): Promise<RenderedPhoto[]> {
  const files: RenderedPhoto[] = [];
  for (const photo of photos) files.push({ ...photo, file: await renderPhoto(photo) });
  return files;
}

/** The folders are named as `npm run evaluate` takes them: by class index. */
async function writePictures(photos: readonly RenderedPhoto[], folder: string): Promise<void> {
  for (const { label, name, file } of photos) {
    const classIndex = CLASS_NAMES.indexOf(label);
    await mkdir(join(folder, String(classIndex)), { recursive: true });
    await writeWholeFile(join(folder, String(classIndex), `${name}.jpg`), file);
  }
}

const EXAMPLES = `
Examples:
  npm run photos
  npm run photos -- --seed 2
  npm run photos -- --pictures /tmp/photos`;
