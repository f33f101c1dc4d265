import { markdownTable } from '../measurements/markdown-table.ts';
import { percent } from '../output.ts';
import { type PhotoResults, type Row, shareInWords } from './photo-results.ts';
import { type Way, WAYS } from './ways.ts';

/** The part of docs/results.md about drawn photos. */
export function photosPart({ writtenAt, seed, model, preprocessing, groups, belief, ...tables }: PhotoResults): string {
  const pictures = groups[0]?.pictures ?? 0;
  return [
    '## Accuracy on drawn photos',
    '',
    `Written by \`npm run photos\` out of [photos.json](photos.json), ${writtenAt.slice(0, 10)}: ${pictures} pictures that are`,
    `drawn anew by [the code](../scripts/src/photos) from seed ${seed}, as JPEG files; ${model.name} version ${model.version}, preprocessing`,
    `\`${preprocessing}\`. None of them has to do with an image of the data set, and none was trained on. In brackets the 95 % interval.`,
    '',
    EXPLANATION,
    '',
    table('pictures of', groups),
    '',
    table('ground', tables.strata),
    '',
    table('polarity', tables.polarities),
    '',
    table('direction', tables.directions),
    '',
    beliefInWords(belief, pictures),
    '',
  ].join('\n');
}

function table(title: string, rows: readonly Row[]): string {
  return markdownTable(
    [title, 'pictures', ...Object.values<Way>(WAYS).map(({ title }) => title)],
    rows.map((row) => [row.name, String(row.pictures), ...Object.keys(WAYS).map((way) => shareInWords(row, way))]),
  );
}

const EXPLANATION = `The first three columns do what is usually done, with the same model: grey and squeezed to 28×28; the same, made negative
when the median of its border is light; and the steps that the data set was made with (arXiv 1708.07747, section 2). The
last two are the service's own pipeline, without and with the mirror image of what it made. Thresholds and augmentations
were chosen on pictures that the same code draws from other seeds, so photos that people take will do worse; what compares is
the columns. The naive way finds bags because it calls nearly everything a bag.`;

function beliefInWords(
  { calibrationError, abstained, correctOfOthers }: PhotoResults['belief'],
  pictures: number,
): string {
  const others = pictures - abstained;
  return (
    `The service abstains on ${percent(abstained / pictures)} of these pictures, whose edges, light and cloth are not the data set's, and is right in ` +
    `${others === 0 ? 'none' : percent(correctOfOthers / others)}\nof the others; its calibration error is ${percent(calibrationError)}. Its thresholds are of the data set's own images.`
  );
}
