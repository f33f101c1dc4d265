import assert from 'node:assert/strict';
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { calibrationError, CLASS_NAMES } from '@atelier/domain';
import { decodeModel, float32Values } from '@atelier/onnx';
import { chooseEngine, inspectModel, OnnxModel, train, type TrainingResult, writeReport } from '@atelier/trainer';
import sharp from 'sharp';
import { startBrowser } from '../support/browser.ts';
import { drawnDataset } from '../support/drawn-dataset.ts';
import { assertOpensWell } from '../support/opened-report.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HOSTILE = '</style><script>alert("1")</script> & \'more\'';
const PICTURES = [
  ...['loss', 'accuracy', 'learning-rate', 'confusion-matrix', 'calibration'],
  ...['samples', 'correct', 'mistakes', 'first-layer', 'activations'],
];

const dataset = drawnDataset();
const folder = await temporaryFolder();
after(() => folder.remove());

async function smallRun(): Promise<TrainingResult> {
  const layer = { activation: 'relu', batchNormalization: 'before-activation', dropout: 0.2 } as const;
  const recipe = smallRecipe({
    description: HOSTILE,
    hiddenLayers: [
      { ...layer, units: 24 },
      { ...layer, units: 10, activation: 'tanh' },
    ],
    augmentation: { mirrorProbability: 0.5 },
  });
  const engine = await chooseEngine('tfjs');
  const runsDirectory = join(folder.path, 'runs');
  return train({ recipe, engine, dataset, limit: null, runsDirectory, publish: null });
}

/** A copy of the run's folder, to be changed. */
async function copyOf({ directory }: TrainingResult, name: string): Promise<string> {
  const copy = join(folder.path, name);
  await cp(directory, copy, { recursive: true });
  return copy;
}

/** 0.8934 as the page writes it. */
function percent(share: number, digits = 2): string {
  return `${(share * 100).toFixed(digits)}\u00a0%`;
}

describe('the report of a run', () => {
  let result: TrainingResult;
  let page: string;
  let pictures: string[];
  before(async () => {
    result = await smallRun();
    ({ pictures } = await writeReport(result.directory, dataset));
    page = await readFile(join(result.directory, 'report.html'), 'utf8');
  });

  test('has every section once, and every link within it leads somewhere', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, `twice: ${ids.join(' ')}`);
    for (const id of ['learning', 'results', 'correct', 'mistakes', 'inside', 'first-layer', 'activations'])
      assert.ok(ids.includes(id), id);
    for (const id of ['recipe', 'samples', 'run']) assert.ok(ids.includes(id), id);
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    assert.ok(links.length >= 6 && links.every((id) => ids.includes(id)), links.join(' '));
    for (const title of ['Loss', 'Accuracy', 'Learning rate', 'Confusion matrix', 'Calibration'])
      assert.match(page, new RegExp(`<h3>${title}</h3>\\s*<div role="img" aria-label="${title}\\. [^"]{20,}"><svg`));
  });

  test('opens in a browser without a complaint or a request, in light and dark, on a large screen and on a phone', async () => {
    const browser = await startBrowser();
    try {
      await assertOpensWell(browser, page, 5);
    } finally {
      await browser.close();
    }
  });

  test("has the manifest's numbers", () => {
    const { metrics, data, training } = result.manifest;
    const { test: measured, validation, train: trained } = metrics;
    const [low, high] = measured.accuracyInterval;
    for (const share of [
      measured.accuracy,
      validation.accuracy,
      trained.accuracy,
      measured.calibrationError,
      low,
      high,
    ])
      assert.ok(page.includes(percent(share)), percent(share));
    for (const { label, precision, recall, f1, support } of measured.perClass) {
      const row = new RegExp(`<th scope="row" class="text">${label}</th>(.*?)</tr>`, 's').exec(page)?.[1] ?? '';
      for (const share of [precision, recall, f1]) assert.ok(row.includes(`>${percent(share)}<`), `${label}: ${row}`);
      assert.ok(row.includes(`>${support}<`), label);
    }
    for (const part of [
      'Temperature',
      'Low confidence',
      'Outliers',
      'Preparation',
      'Training alone',
      'Validation',
      'Checkpoints',
    ])
      assert.match(page, new RegExp(`<dt>${part}</dt><dd>[^<]*\\d`));
    assert.ok(page.includes(data.digest) && page.includes(training.device) && page.includes(training.run));
    for (const { validation: epoch, training: seen, trainingLoss } of result.history)
      for (const value of [
        epoch.loss.toFixed(4),
        trainingLoss.toFixed(4),
        percent(epoch.accuracy),
        percent(seen?.accuracy ?? NaN),
      ])
        assert.ok(page.includes(`>${value}</td>`), value);
    const [chart = ''] = /Confusion matrix\..*?<\/svg>/s.exec(page) ?? [];
    const counts = [...chart.matchAll(/<text[^>]*>(\d+)<\/text>/g)].map(([, count]) => Number(count));
    const expected = measured.confusionMatrix.flat().filter((count) => count > 0);
    assert.deepEqual(counts.toSorted(), expected.toSorted());
  });

  test('escapes what the recipe says', () => {
    assert.ok(page.includes('&lt;/style&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;'));
    assert.doesNotMatch(page, /<script/i);
  });

  test('loads nothing: every picture is in the page, and its policy allows no more', () => {
    assert.match(page, /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; img-src data:;/);
    const sources = [...page.matchAll(/\ssrc="([^"]{0,30})/g)].map(([, source]) => source ?? '');
    assert.ok(sources.length > 100 && sources.every((source) => source.startsWith('data:image/png;base64,')));
    assert.doesNotMatch(page, /<link|<iframe|<object|@import|url\(|\son\w+=/i);
    assert.ok(Buffer.byteLength(page) < 1_000_000, `${Buffer.byteLength(page)} bytes`);
  });

  test('says in words what its pictures show', () => {
    const images = [...page.matchAll(/<img [^>]*>/g)].map(([image]) => image);
    assert.ok(images.every((image) => image.includes(' alt="')));
    const described = images.filter((image) => !image.includes(' alt=""'));
    const walls = [...page.matchAll(/class="wall" role="img" aria-label="[^"]{20,}">(.*?)<\/div>/g)];
    const told = walls.flatMap(([, content = '']) => [...content.matchAll(/<img /g)]).length;
    assert.equal(described.length + told, images.length, 'a picture without words stands in a wall that has some');
    assert.ok(described.some((image) => /alt="[^"]+, taken for [^"]+ \d+\.\d/.test(image)));
  });

  test('lies beside its pictures as PNG files, none of them blank', async () => {
    assert.deepEqual(
      pictures.map((path) => path.slice(result.directory.length)),
      PICTURES.map((name) => `/report/${name}.png`),
    );
    for (const path of pictures) {
      const { channels } = await sharp(path).stats();
      assert.ok(
        channels.slice(0, 3).every(({ stdev }) => stdev > 5),
        path,
      );
    }
  });

  test('a run that was interrupted gets what it has', async () => {
    const directory = await copyOf(result, 'partial');
    const path = join(directory, 'run.json');
    const error = { code: 'training-interrupted', message: 'Interrupted in epoch 4.' };
    const run = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...run, state: 'interrupted', error }));
    await rm(join(directory, 'manifest.json'));
    await appendFile(join(directory, 'history.ndjson'), '{"epoch":4,"trainingLo'); // cut off by a crash
    const written = await writeReport(directory, dataset);
    const text = await readFile(written.path, 'utf8');
    assert.match(text, /interrupted.*Interrupted in epoch 4\./s);
    assert.match(text, /no exported model/);
    assert.match(text, /All 3 epochs/);
    assert.doesNotMatch(text, /id="results"|href="#results"/);
    assert.equal(written.pictures.length, 4);
  });

  test('an epoch that was trained twice counts as it was last, and a damaged line or manifest is named', async () => {
    const directory = await copyOf(result, 'history');
    const path = join(directory, 'history.ndjson');
    const lines = (await readFile(path, 'utf8')).split('\n');
    const again = { ...(JSON.parse(lines[1] ?? '') as object), trainingLoss: 0.1234 };

    await appendFile(path, `${JSON.stringify(again)}\n`);
    const text = await readFile((await writeReport(directory, dataset)).path, 'utf8');
    assert.match(text, /All 3 epochs.*>2<\/th><td class="number">0\.1234</s);
    await writeFile(path, ['{', ...lines].join('\n'));
    await assert.rejects(writeReport(directory, dataset), {
      code: 'invalid-run',
      message: /history\.ndjson, line 1: /,
    });
    await writeFile(path, lines.join('\n'));
    await writeFile(join(directory, 'manifest.json'), '{');
    await assert.rejects(writeReport(directory, dataset), { code: 'invalid-manifest', message: /is not JSON/ });
  });

  test('a run of before training images were measured says so', async () => {
    const directory = await copyOf(result, 'older');
    const path = join(directory, 'history.ndjson');
    const older = (await readFile(path, 'utf8')).replaceAll(/"training":\{[^}]*\},/g, '');
    assert.doesNotMatch(older, /"training":/);
    await writeFile(path, older);
    const text = await readFile((await writeReport(directory, dataset)).path, 'utf8');
    assert.match(text, />Training \(export\)<.*Training accuracy was not measured in every epoch/s);
    assert.doesNotMatch(text, /<th scope="col" class="number">Training accuracy/);
  });

  test('images of another data set than the run was trained on are refused', async () => {
    const other = { ...dataset, digest: `sha256:${'1'.repeat(64)}` };
    await assert.rejects(writeReport(result.directory, other), {
      code: 'dataset-mismatch',
      message: /sha256:1{64}; the run was trained on sha256:0{64}/,
    });
  });

  test('says of the model what it computes: activations lead to its logits, bins to its calibration error', async () => {
    const { directory, manifest } = result;
    const bytes = await readFile(join(directory, 'model.onnx'));
    const findings = await inspectModel(bytes, dataset.test);
    assert.ok(Math.abs(calibrationError(findings.calibration) - manifest.metrics.test.calibrationError) < 1e-12);
    const wrong = Math.round((1 - manifest.metrics.test.accuracy) * dataset.test.count);
    assert.equal(findings.mistakes.length, Math.min(20, wrong));
    assert.ok(findings.mistakes.every(({ label, predicted }) => label !== predicted));
    const confidences = findings.mistakes.map(({ confidence }) => confidence);
    assert.deepEqual(
      confidences,
      confidences.toSorted((a, b) => b - a),
    );
    assert.ok(findings.correct.every(({ label, predicted }) => label === predicted));

    const { initializers } = decodeModel(bytes, 'model.onnx').graph;
    const weights = (name: string) => {
      const tensor = initializers.find((each) => each.name === name);
      assert.ok(tensor, name);
      return float32Values(tensor);
    };
    const [kernel, bias] = [weights('logits/kernel'), weights('logits/bias')];
    const model = await OnnxModel.open(bytes);
    for (const { pixels, values } of findings.activations.images) {
      const { logits } = await model.predict(pixels);
      const last = values.at(-1) ?? new Float32Array();
      CLASS_NAMES.forEach((_, label) => {
        const logit = last.reduce(
          (sum, value, unit) => sum + value * (kernel[unit * 10 + label] ?? NaN),
          bias[label] ?? NaN,
        );
        assert.ok(Math.abs(logit - (logits[label] ?? NaN)) < 1e-4, `${logit}, ${logits[label]}`);
      });
    }
    await model.release();
    assert.deepEqual(
      findings.activations.layers.map(({ units }) => units),
      [24, 10],
    );
    const first = weights('hidden_1/kernel');
    const { shown, units } = findings.firstLayer;
    assert.deepEqual([units, shown.length], [24, 24]);
    for (const { unit, weights: image } of shown) {
      assert.deepEqual(
        image,
        Float32Array.from({ length: 784 }, (_, pixel) => first[pixel * 24 + unit] ?? NaN),
      );
    }
  });
});
