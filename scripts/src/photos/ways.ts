import { IMAGE_HEIGHT, IMAGE_WIDTH, MAXIMUM_PIXEL } from '@atelier/domain';
import { createImageDecoder, type Outputs, predictPictures, type Predictor, readConfig } from '@atelier/inference';
import sharp from 'sharp';

export interface Way {
  /** At the head of its column. */
  title: string;
  /** What a model says of the picture in a file, prepared in this way. */
  answer(file: Buffer, predictor: Pick<Predictor, 'predict'>): Promise<Outputs>;
}

const decode = createImageDecoder(readConfig({}).maximumPixels);

/** The ways that are compared, in the order of the columns. */
export const WAYS = {
  squeezed: {
    title: 'squeezed to 28×28 (naive)',
    answer: async (file, predictor) => predictor.predict(await squeezed(file)),
  },
  inverted: {
    title: 'naive, inverted when its border is light',
    answer: async (file, predictor) => predictor.predict(await invertedOnLight(file)),
  },
  dataset: {
    title: 'as the data set was made',
    answer: async (file, predictor) => predictor.predict(await asTheDatasetWasMade(file)),
  },
  unmirrored: {
    title: 'the service without its mirror choice',
    answer: async (file, predictor) => predictor.predict((await decode(file)).image),
  },
  service: {
    title: 'the service',
    async answer(file, predictor) {
      const { image, facts } = await decode(file);
      return (await predictPictures(predictor, { images: image, facts: [facts] })).outputs;
    },
  },
} as const satisfies Record<string, Way>;

/** Grey, 28×28, whatever that does to its proportions: what a first attempt does. */
async function squeezed(file: Buffer): Promise<Uint8Array> {
  const size = { width: IMAGE_WIDTH, height: IMAGE_HEIGHT, fit: 'fill' } as const;
  const grey = sharp(file).autoOrient().flatten({ background: 'white' }).resize(size).greyscale();
  return new Uint8Array(await grey.toColourspace('b-w').raw().toBuffer());
}

async function invertedOnLight(file: Buffer): Promise<Uint8Array> {
  const image = await squeezed(file);
  const border = image.filter((_, index) => {
    const [row, column] = [Math.floor(index / IMAGE_WIDTH), index % IMAGE_WIDTH];
    return row === 0 || column === 0 || row === IMAGE_HEIGHT - 1 || column === IMAGE_WIDTH - 1;
  });
  const middle = border.toSorted()[border.length / 2] ?? 0;
  return middle > MAXIMUM_PIXEL / 2 ? image.map((level) => MAXIMUM_PIXEL - level) : image;
}

/** 5 % of the range, as in arXiv 1708.07747, section 2. */
const TRIM_THRESHOLD = 13;

/** The paper's seven steps: trimmed, longest edge 28 without a filter, sharpened, extended with white, negated, grey. */
async function asTheDatasetWasMade(file: Buffer): Promise<Uint8Array> {
  // Pipelines of their own, because within one sharp has an order of its own.
  const upright = await sharp(file).autoOrient().flatten({ background: 'white' }).png().toBuffer();
  const trimmed = await sharp(upright)
    .trim({ threshold: TRIM_THRESHOLD })
    .png()
    .toBuffer()
    .catch(() => upright);
  const fitted = await sharp(trimmed)
    .resize({ width: IMAGE_WIDTH, height: IMAGE_HEIGHT, fit: 'inside', kernel: 'nearest' })
    .png()
    .toBuffer();
  const sharpened = await sharp(fitted).sharpen({ sigma: 1 }).png().toBuffer();
  const data = await sharp(sharpened)
    .resize({ width: IMAGE_WIDTH, height: IMAGE_HEIGHT, fit: 'contain', background: 'white' })
    .greyscale()
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  return Uint8Array.from(data, (level) => MAXIMUM_PIXEL - level);
}
