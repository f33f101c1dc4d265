import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeModel } from '@atelier/onnx';
import type { Verification } from '../../scripts/src/verification/verify-conversion.ts';
import { atelier } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type Config = Record<string, unknown>;
const INPUT: [string, Config] = ['InputLayer', { name: 'x', batch_input_shape: [null, 4], dtype: 'float32' }];
const DENSE: [string, Config] = ['Dense', { name: 'd', units: 300, activation: 'tanh' }];

interface Summary {
  inputs: { name: string; shape: unknown[] }[];
  operators: Record<string, number>;
  parameters: number;
  opset: number;
  warnings: string[];
  verification?: Verification;
}

describe('tfjs-to-onnx', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let count = 0;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  /** A new folder with a Sequential model of `layers` and the weights of DENSE in it. */
  async function written(layers: readonly [string, Config][], extra: Config = {}): Promise<string> {
    const place = join(folder.path, `model-${++count}`);
    await mkdir(place);
    const weights = [
      { name: 'd/kernel', shape: [4, 300], dtype: 'float32' },
      { name: 'd/bias', shape: [300], dtype: 'float32' },
    ];
    const config = { name: 'net', layers: layers.map(([class_name, own]) => ({ class_name, config: own })) };
    const model = {
      format: 'layers-model',
      modelTopology: { class_name: 'Sequential', config },
      weightsManifest: [{ paths: ['weights.bin'], weights }],
      ...extra,
    };
    await writeFile(join(place, 'model.json'), JSON.stringify(model));
    const values = Float32Array.from({ length: 1500 }, (_, index) => Math.sin(index));
    await writeFile(join(place, 'weights.bin'), new Uint8Array(values.buffer));
    return place;
  }

  async function convert(place: string, ...options: string[]) {
    const target = join(place, 'out.onnx');
    const { code, stdout, stderr } = await atelier(['tfjs-to-onnx', join(place, 'model.json'), target, ...options])
      .finished;
    const left = (await readdir(place)).filter((name) => !['model.json', 'weights.bin'].includes(name)).sort();
    return { code, stdout, stderr, left, target };
  }

  test('--json prints the summary and nothing else; sizes and operator set are as asked for', async () => {
    const place = await written([INPUT, DENSE]);
    const { code, stdout, stderr, left, target } = await convert(
      place,
      ...['--json', '--verify', '--opset', '18', '--input-shape', 'x=3,4'],
    );
    assert.equal(code, 0, stderr);
    const summary = JSON.parse(stdout) as Summary;
    assert.deepEqual(summary.inputs, [{ name: 'x', type: 'float32', shape: [3, 4] }]);
    assert.deepEqual([summary.parameters, summary.opset, summary.warnings], [1500, 18, []]);
    assert.equal(summary.verification?.verified, true);
    assert.ok((summary.verification.largestDifference ?? 1) < 1e-6);
    assert.deepEqual(left, ['out.onnx']);
    assert.equal(decodeModel(await readFile(target), target).opsetImports[0]?.version, 18);
  });

  test('--fold-batch-norm leaves no batch normalisation, and the same numbers', async () => {
    const normalized: [string, Config] = [
      'BatchNormalization',
      { name: 'd/bn', scale: false, center: false, axis: -1 },
    ];
    const statistics = ['moving_mean', 'moving_variance'].map((part) => `d/bn/${part}`);
    const plain: [string, Config] = ['Dense', { name: 'd', units: 300 }];
    const weights = [
      { name: 'd/kernel', shape: [4, 300], dtype: 'float32' },
      { name: 'd/bias', shape: [300], dtype: 'float32' },
      ...statistics.map((name) => ({
        ...{ name, shape: [300], dtype: 'float32' },
        quantization: { dtype: 'uint8', scale: 0.01, min: 0.5 },
      })),
    ];
    const place = await written([INPUT, plain, normalized], { weightsManifest: [{ paths: ['weights.bin'], weights }] });
    const bytes = await readFile(join(place, 'weights.bin'));
    await writeFile(join(place, 'weights.bin'), Buffer.concat([bytes, bytes.subarray(0, 600)]));
    const { code, stdout } = await convert(place, '--fold-batch-norm', '--verify', '--json');
    const { operators, verification } = JSON.parse(stdout) as Summary;
    assert.deepEqual([code, operators, verification?.verified], [0, { Gemm: 1 }, true]);
  });

  test('--external-data puts the weights beside, and what is verified are those files', async () => {
    const place = await written([INPUT, DENSE]);
    const { code, stdout, left, target } = await convert(
      place,
      '--external-data',
      '--verify',
      '--input-shape',
      'x=?,4',
    );
    assert.equal(code, 0);
    assert.match(stdout, /1500 parameters, opset 17\nVerified against TensorFlow\.js \(\w+\): they differ by \S+e-/);
    assert.deepEqual(left, ['out.onnx', 'out.onnx.data']);
    const kernel = decodeModel(await readFile(target), target).graph.initializers.find(
      ({ name }) => name === 'd/kernel',
    );
    assert.equal(kernel?.external?.['location'], 'out.onnx.data');
  });

  test('a model that computes something else is not kept: exit code 1, with the difference', async () => {
    const place = await written([INPUT, DENSE, ['LeakyReLU', { name: 'l', negative_slope: 0.9 }]]);
    const { code, stdout, stderr, left } = await convert(place, '--verify', '--semantics', 'keras');
    assert.equal(code, 1, stderr);
    assert.match(
      stdout,
      /^Output "l" differs by \d\.\de-1 of its largest value; allowed is 0\.0001\. No file was written\.$/m,
    );
    assert.deepEqual(left, []);
  });

  test('what TensorFlow.js cannot load is not verified, and says so', async () => {
    const keras3: [string, Config] = ['InputLayer', { name: 'x', batch_shape: [null, 4], dtype: 'float32' }];
    const place = await written([keras3, DENSE]);
    const { code, stdout, left } = await convert(place, '--verify', '--json');
    assert.equal(code, 1);
    const { verification } = JSON.parse(stdout) as Summary;
    assert.equal(verification?.verified, false);
    assert.match(
      verification.reason ?? '',
      /^TensorFlow\.js cannot load this model \(.+\); not verified\. Without --verify the model is converted all the same\.$/,
    );
    assert.deepEqual(left, []);
    assert.equal((await convert(place)).code, 0, 'it converts all the same');
  });

  test('an unsupported layer exits with 3 and leaves nothing, not even over an older file', async () => {
    const place = await written([INPUT, ['Lambda', { name: 'mystery' }]]);
    await writeFile(join(place, 'out.onnx'), 'older');
    const { code, stderr, left, target } = await convert(place, '--verify');
    assert.equal(code, 3);
    assert.match(stderr, /"mystery".*Lambda/);
    assert.deepEqual(left, ['out.onnx']);
    assert.equal(await readFile(target, 'utf8'), 'older');
  });

  const WRONG_OPTIONS: [words: string[], reason: RegExp][] = [
    [['--opset', '99'], /Operator set 99; expected/],
    [['--opset', 'new'], /--opset.*whole number/],
    [['--semantics', 'torch'], /Allowed choices are tfjs, keras/],
    [['--input-shape', '3,4'], /--input-shape.*such as image=1,224,224,3/],
    [['--input-shape', 'x=0,4'], /--input-shape/],
    [['--input-shape', 'x=1,4', '--input-shape', 'x=2,4'], /Expected input "x" once/],
    [['--input-shape', 'y=1,4'], /input "y"; the model has x/],
    [['--input-shape', 'x=1,5'], /x/],
    [['--fast'], /unknown option '--fast'; there is: --opset, --input-shape,/],
  ];
  for (const [words, reason] of WRONG_OPTIONS) {
    test(`${words.join(' ')} exits with 2 and writes nothing`, async () => {
      const { code, stdout, stderr, left } = await convert(await written([INPUT, DENSE]), ...words);
      assert.match(stderr, reason);
      assert.deepEqual([code, stdout, left], [2, '', []]);
    });
  }

  test('an output that is the model itself, or has no folder, or is one, exits with 2', async () => {
    const place = await written([INPUT, DENSE]);
    const source = join(place, 'model.json');
    const before = await readFile(source, 'utf8');
    await symlink(source, join(place, 'link.onnx'));
    const targets: [target: string, reason: RegExp][] = [
      [source, /is the model itself/],
      [join(place, 'link.onnx'), /is the model itself/],
      [join(place, 'nowhere', 'out.onnx'), /There is no folder .*nowhere/],
      [place, /It is a folder/],
    ];
    for (const [target, reason] of targets) {
      const { code, stdout, stderr } = await atelier(['tfjs-to-onnx', source, target]).finished;
      assert.match(stderr, reason);
      assert.deepEqual([code, stdout], [2, '']);
    }
    assert.equal(await readFile(source, 'utf8'), before);
    assert.deepEqual((await readdir(place)).sort(), ['link.onnx', 'model.json', 'weights.bin']);
  });

  const WRONG_MODELS: [what: string, extra: Config, reason: RegExp][] = [
    ['a graph model', { format: 'graph-model' }, /is a graph model; .*tf2onnx/],
    ['a missing shard', { weightsManifest: [{ paths: ['gone.bin'], weights: [] }] }, /Weight file "gone\.bin"/],
    [
      'a weight of absurd size',
      {
        weightsManifest: [
          { paths: ['weights.bin'], weights: [{ name: 'd/kernel', shape: [1e9, 1e9], dtype: 'float32' }] },
        ],
      },
      /"d\/kernel".*it has 6000 bytes/,
    ],
    ['no weights at all', { weightsManifest: [] }, /No weight "d\/kernel"/],
  ];
  for (const [what, extra, reason] of WRONG_MODELS) {
    test(`${what} exits with 2 and writes nothing`, async () => {
      const { code, stdout, stderr, left } = await convert(await written([INPUT, DENSE], extra), '--external-data');
      assert.match(stderr, reason);
      assert.match(stderr, /\(malformed-tfjs-model\)\n$/);
      assert.deepEqual([code, stdout, left], [2, '', []]);
    });
  }
});
