import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CLASS_NAMES, PIXELS_PER_IMAGE, parseManifest } from '@atelier/domain';
import { EvaluationReport } from '@atelier/evaluation';
import { greyPngOf } from '@atelier/pictures';
import { atelier, ROOT } from '../support/programs.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { zipFile } from '../support/zip-file.ts';
import { idxFile } from '../unit/fashion-mnist/drawn-dataset.ts';

const COUNT = 40;

/** Noise in a black frame, which is light on black as the data set is: it is taken as it is from a picture, too. */
function framedImage(seed: number): Uint8Array {
  return randomImage(seed).map((value, place) => {
    const [x, y] = [place % 28, Math.floor(place / 28)];
    return Math.min(x, y, 27 - x, 27 - y) < 4 ? 0 : Math.max(value, 60);
  });
}

describe('atelier evaluate', () => {
  const images = Array.from({ length: COUNT }, (_, seed) => framedImage(seed));
  const labels = images.map((_, index) => index % 10);
  const pngs = images.map((image, index) => ({
    name: `${CLASS_NAMES[labels[index] ?? 0]?.replace('/', '-')}/${index}.png`,
    data: greyPngOf(image, 28),
  }));
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const inFolder = (name: string) => join(folder.path, name);

  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(inFolder('models'), { seed: 1 });
    await publishTiny(inFolder('models'), { seed: 2 });
    for (const { name, data } of pngs) {
      await mkdir(join(inFolder('photos'), name, '..'), { recursive: true });
      await writeFile(join(inFolder('photos'), name), data);
    }
    const header = ['label', ...Array.from({ length: PIXELS_PER_IMAGE }, (_, place) => `pixel${place + 1}`)].join(',');
    const rows = images.map((image, index) => [labels[index], ...image].join(','));
    await writeFile(inFolder('photos.csv'), [header, ...rows, ''].join('\n'));
    await writeFile(inFolder('photos.zip'), zipFile(pngs));
    const pixels = Buffer.concat(images);
    await writeFile(inFolder('some-images-idx3-ubyte.gz'), gzipSync(idxFile([COUNT, 28, 28], pixels)));
    await writeFile(inFolder('some-labels-idx1-ubyte'), idxFile([COUNT], Uint8Array.from(labels)));
  });
  after(() => folder.remove());

  /** The report that the command prints for a program. */
  async function reportOf(words: readonly string[]): Promise<EvaluationReport> {
    const run = atelier(['evaluate', ...words, '--json'], { MODELS_DIR: inFolder('models') });
    const { code, stdout, stderr } = await run.finished;
    assert.equal(code, 0, stderr);
    return EvaluationReport.parse(JSON.parse(stdout));
  }

  test('measures the same images the same in every form: folder, ZIP, CSV, and IDX with the labels beside it', async () => {
    const [first, ...others] = [
      await reportOf([inFolder('photos')]),
      await reportOf([inFolder('photos.zip')]),
      await reportOf([inFolder('photos.csv')]),
      await reportOf([inFolder('some-images-idx3-ubyte.gz')]),
    ];
    assert.equal(first?.examples, COUNT);
    assert.equal(first.input.form, 'folder');
    assert.deepEqual(
      others.map(({ input }) => input.form),
      ['zip', 'csv', 'idx'],
    );
    for (const { confusionMatrix, loss, model } of others) {
      assert.deepEqual(confusionMatrix, first.confusionMatrix);
      assert.ok(Math.abs(loss - first.loss) < 1e-9);
      assert.equal(model.version, 2);
    }
  });

  test('takes another version, IDX labels under another name, and the first images alone', async () => {
    await rename(inFolder('some-labels-idx1-ubyte'), inFolder('answers'));
    const words = ['--labels', inFolder('answers'), '--version', '1', '--limit', '7'];
    const { model, examples } = await reportOf([inFolder('some-images-idx3-ubyte.gz'), ...words]);
    assert.deepEqual([model.version, examples], [1, 7]);
    await rename(inFolder('answers'), inFolder('some-labels-idx1-ubyte'));
  });

  test('compares two versions, lists what it cannot read, and writes the report as a page and as a table', async () => {
    await writeFile(inFolder('photos/Bag/\u001b[2Jbroken.png'), 'no picture'); // would clear the terminal
    const files = ['--html', inFolder('report.html'), '--csv', inFolder('report.csv')];
    const run = atelier(['evaluate', inFolder('photos'), '--against', '1', ...files], {
      MODELS_DIR: inFolder('models'),
    });
    const { code, stdout, stderr } = await run.finished;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^fashion-mlp version 2 on cpu: 40 images \(folder\)$/m);
    assert.match(
      stdout,
      /^Against fashion-mlp version 1: accuracy \d+\.\d\d %\nDifference [+-]?\d+\.\d\d points .*McNemar/m,
    );
    assert.match(stdout, /^1 entry not read: [a-z-]+ 1\n {2}Bag\/\\u\{1b\}\[2Jbroken\.png: .* \([a-z-]+\)$/m);
    assert.ok(!stdout.includes('\u001b'));
    assert.match(stderr, /^Written: .*report\.html\nWritten: .*report\.csv$/m);
    assert.match(await readFile(inFolder('report.html'), 'utf8'), /<h2>Against version 1<\/h2>/);
    assert.match(await readFile(inFolder('report.csv'), 'utf8'), /^comparison,,againstVersion,1\r$/m);
  });

  test('ends with 2 where there is nothing at the path, and with 1 where nothing at it can be measured', async () => {
    const nowhere = await atelier(['evaluate', inFolder('nowhere')]).finished;
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /nowhere' is invalid.*There is nothing of that name/);
    await mkdir(inFolder('empty'));
    const empty = await atelier(['evaluate', inFolder('empty')], { MODELS_DIR: inFolder('models') }).finished;
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /\(no-examples\)/);
  });

  test('without a path measures the published version on the test images, as its manifest says (real data)', async () => {
    const { code, stdout } = await atelier(['evaluate', '--json']).finished;
    assert.equal(code, 0);
    const report = EvaluationReport.parse(JSON.parse(stdout));
    const path = join(ROOT, 'models', report.model.name, String(report.model.version), 'manifest.json');
    const { metrics } = parseManifest(JSON.parse(await readFile(path, 'utf8')), path);
    assert.equal(report.examples, 10_000);
    assert.equal(report.input.form, 'dataset');
    assert.ok(Math.abs(report.accuracy - metrics.test.accuracy) <= 0.0003, `${report.accuracy}`);
    assert.ok(Math.abs(report.calibrationError - metrics.test.calibrationError) < 0.002);
  });
});
