import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadFashionMnist } from '@atelier/fashion-mnist';
import { decodeModel, encodeModel } from '@atelier/onnx';
import { readRun, RECIPES } from '@atelier/trainer';
import sharp from 'sharp';
import { CommandLines } from '../support/command-lines.ts';
import { atelier, ROOT } from '../support/programs.ts';
import { TorchExport } from '../support/torch-export.ts';

const DATA = join(ROOT, 'data', 'fashion-mnist');

describe('command line', () => {
  let directory: string;
  let commandLines: CommandLines;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'atelier-cli-'));
    commandLines = new CommandLines();
  });
  after(async () => {
    await commandLines.close();
    await rm(directory, { recursive: true });
  });

  const WRONG_USAGE: [string[], RegExp][] = [
    [['train', '--recipe', 'resnet'], /No recipe "resnet"; there is: ann-128-64, .*atelier\. \(unknown-recipe\)/],
    [['train', '--recipe', 'ann-128', '--engine', 'torch'], /No engine "torch"; there is: auto, tfjs, onnx/],
    [['train', '--recipe', 'ann-128', '--device', 'tpu'], /No device "tpu"; there is: auto, cpu, cuda, webgpu/],
    [['train', '--recipe', 'ann-128', '--epochs', '0'], /--epochs.*whole number from 1/],
    [['train', '--recipe', 'ann-128', '--limit', '5'], /--limit.*whole number from 100/],
    [['train'], /required option '--recipe/],
    [
      ['train', '--recipe', 'ann-128', '--gpu'],
      /^error: unknown option '--gpu'; there is: --recipe, .*--epochs, .*--help\n$/m,
    ],
    [
      ['train', '--resume', 'no-such-run'],
      /No run "no-such-run": no run\.json in .*no-runs\/no-such-run\. \(run-not-found\)/,
    ],
    [
      ['train', '--resume', 'x', '--recipe', 'ann-128'],
      /'--resume <run>' cannot be used with option '--recipe <name or file>'/,
    ],
    [['train', '--resume', 'x', '--seed', '3'], /'--resume <run>' cannot be used with option '--seed <n>'/],
    [['train', '--resume', 'x', '--epochs', '3'], /'--resume <run>' cannot be used with option '--epochs <n>'/],
    [['train', '--resume', 'x', '--engine', 'auto'], /'--resume <run>' cannot be used with option '--engine <name>'/],
    [['train', '--resume', 'x', '--device', 'cpu'], /'--resume <run>' cannot be used with option '--device <name>'/],
    [['train', '--resume', 'x', '--threads', '2'], /'--resume <run>' cannot be used with option '--threads <n>'/],
    [['train', '--recipe', 'ann-128', '--threads', '257'], /--threads.*whole number from 1 to 256/],
    [
      ['train', '--recipe', 'ann-128', '--engine', 'tfjs', '--device', 'cpu', '--threads', '2'],
      /2 threads were asked for; only the ONNX engine on the CPU .*tfjs on wasm.*\(invalid-configuration\)/,
    ],
    [['train', '--resume', 'x', '--limit', '500'], /'--resume <run>' cannot be used with option '--limit <n>'/],
    [
      ['trian'],
      /^error: unknown command 'trian'.*; there is: serve, train, train-teacher, report, publish, .*label, search, evaluate, .*setup\n$/m,
    ],
    [['search'], /required options '--recipe <name or file>' and '--trials <n>' not specified/],
    [['search', '--continue', 'x', '--seed', '3'], /'--continue <search>' cannot be used with option '--seed <n>'/],
    [['search', '--continue', 'x'], /No search "x".*\(search-not-found\)/],
    [['report'], /missing required argument/],
    [['report', 'no-such-run'], /No run "no-such-run": no run\.json in .*\(run-not-found\)/],
    [['publish', 'no-such-run'], /No run "no-such-run": no run\.json in .*\(run-not-found\)/],
    [['label', 'hats'], /No version of "hats" in .*\(model-not-found\)/],
    [['label', '--rollback', '--stable', '1'], /'--rollback' cannot be used with option '--stable <n>'/],
    [['label', '--promote', '--canary', '1'], /'--promote' cannot be used with option '--canary <n>'/],
    [['predict'], /missing required argument/],
    [['serve', 'everything'], /inference, trainer/],
    [['tfjs-to-onnx', 'no-such-model.json', 'out.onnx'], /no-such-model\.json/],
    [['onnx-to-tfjs', 'no-such-model.onnx', 'out'], /no-such-model\.onnx cannot be read.*\(malformed-onnx\)/],
    [['onnx-to-tfjs', 'README.md', 'out'], /README\.md is no valid ONNX model.*\(malformed-onnx\)/],
    [
      ['onnx-to-tfjs', 'models/fashion-mlp/3/model.onnx', 'docs', '--outputs', 'logits,probabilities'],
      /expected nothing there.*\(output-occupied\)/,
    ],
  ];
  for (const [words, message] of WRONG_USAGE) {
    test(`atelier ${words.join(' ')}: says what there is and exits with 2`, async () => {
      const { code, stdout, stderr } = await commandLines.run(words, { RUNS_DIR: join(directory, 'no-runs') });
      assert.match(stderr, message);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      await assert.rejects(readdir(join(directory, 'no-runs')), { code: 'ENOENT' });
    });
  }

  test('the process ends with the exit code, whatever wrote it, and standard output stays empty', async () => {
    const { code, stdout, stderr } = await atelier(['train', '--recipe', 'resnet']).finished;
    assert.match(stderr, /^atelier: No recipe "resnet".*\(unknown-recipe\)\n$/);
    assert.deepEqual([code, stdout], [2, '']);
  });

  test('label moves labels in the folder, and goes back', async () => {
    const root = join(directory, 'labelled');
    for (const number of ['1', '2', '3']) await mkdir(join(root, 'fashion-mlp', number), { recursive: true });
    const labels = async (...words: string[]) => {
      const { code, stdout } = await commandLines.run(['label', '--json', ...words], { MODELS_DIR: root });
      assert.equal(code, 0);
      const { stable, canary } = JSON.parse(stdout) as { stable: number | null; canary: number | null };
      return [stable, canary];
    };
    assert.deepEqual(await labels('--stable', '1', '--canary', '3'), [1, 3]);
    assert.deepEqual(await labels('fashion-mlp', '--promote'), [3, null]);
    assert.deepEqual(await labels('--rollback'), [1, null]);
    assert.deepEqual(await labels('--no-stable', '--no-canary'), [null, null]);
    const { code, stderr } = await commandLines.run(['label', '--stable', '9'], { MODELS_DIR: root });
    assert.equal(code, 2);
    assert.match(stderr, /No version 9 of "fashion-mlp"; there is: fashion-mlp\/1, .*\(model-not-found\)/);
  });

  test('--help shows the commands with examples and exits with 0', async () => {
    const { code, stdout } = await commandLines.run(['--help']);
    assert.equal(code, 0);
    for (const word of [
      'train',
      'evaluate',
      'predict',
      'serve',
      'tfjs-to-onnx',
      'onnx-to-tfjs',
      'fetch-dataset',
      'Examples:',
    ]) {
      assert.ok(stdout.includes(word), word);
    }
  });

  test('recipes --json gives them all', async () => {
    const { stdout } = await commandLines.run(['recipes', '--json']);
    assert.equal((JSON.parse(stdout) as unknown[]).length, RECIPES.size);
  });

  test('train ends with a report, and report writes it anew (real data)', async () => {
    const environment = { RUNS_DIR: join(directory, 'runs-with-report') };
    const trained = await atelier(['train', '--recipe', 'ann-128', '--limit', '1000', '--epochs', '1'], environment)
      .finished;
    const [, path = ''] = /^Report: (.*report\.html)$/m.exec(trained.stderr) ?? [];
    const page = await readFile(path, 'utf8');
    await rm(path);
    const [id = ''] = (await readdir(environment.RUNS_DIR)).sort(); // runs begin with their date
    const { code, stdout } = await atelier(['report', id, '--json'], environment).finished;
    assert.equal(code, 0);
    const written = JSON.parse(stdout) as { path: string; pictures: string[] };
    assert.equal(written.path, path);
    assert.equal(written.pictures.length, 10);
    assert.equal(await readFile(path, 'utf8'), page, 'the same run gives the same page');
  });

  test('predict without any version names the folder and exits with 2, as for any name that is not there', async () => {
    const { code, stderr } = await commandLines.run(['predict', 'x.png'], { MODELS_DIR: directory });
    assert.equal(code, 2);
    assert.match(stderr, /No version of "fashion-mlp" in .*; there is: none/);
  });

  test('a folder that cannot be written is found out before training (real data)', async () => {
    const file = join(directory, 'a-file');
    await writeFile(file, '');
    for (const variable of ['RUNS_DIR', 'MODELS_DIR']) {
      const environment = {
        RUNS_DIR: join(directory, 'unused'),
        MODELS_DIR: join(directory, 'unused'),
        [variable]: file,
      };
      const { code, stderr } = await commandLines.run(['train', '--recipe', 'ann-128', '--publish'], environment);
      assert.match(stderr, new RegExp(`a-file.* is no folder that can be written \\(${variable}\\)`));
      assert.doesNotMatch(stderr, /Epoch 1/);
      assert.equal(code, 2);
    }
  });

  test('serve with a setting that is wrong says so in one line and starts nothing', async () => {
    const { code, stdout, stderr } = await commandLines.run(['serve'], { INFERENCE_PORT: 'http' });
    assert.match(stderr, /^atelier: .*INFERENCE_PORT=http.*\(invalid-configuration\)\n$/m);
    assert.deepEqual([code, stdout], [2, '']);
  });

  test('predict answers for the good files, names the others and exits with 1', async () => {
    const good = join(directory, 'good.png');
    const create = { width: 28, height: 28, channels: 3, background: 'black' } as const;
    await writeFile(good, await sharp({ create }).png().toBuffer());
    const { code, stdout, stderr } = await commandLines.run(['predict', join(directory, 'missing.png'), good]);
    assert.equal(code, 1);
    assert.match(stderr, /missing\.png: there is no such file/);
    assert.match(stdout, /good\.png: \S/);
  });

  test('predict names the file that is no image', async () => {
    const file = join(directory, 'text.png');
    await writeFile(file, 'not a picture');
    const { code, stderr } = await commandLines.run(['predict', file]);
    assert.equal(code, 1);
    assert.match(stderr, /text\.png: .*no image.*\(unsupported-media-type\)/);
  });

  test('tfjs-to-onnx converts the published LayersModel, and --json says what came out', async () => {
    const target = join(directory, 'out.onnx');
    const [version] = await readdir(join(ROOT, 'models', 'fashion-mlp'));
    const source = join(ROOT, 'models', 'fashion-mlp', String(version), 'tfjs', 'model.json');
    const { code, stdout } = await commandLines.run(['tfjs-to-onnx', source, target, '--json']);
    assert.equal(code, 0);
    const { graph } = decodeModel(await readFile(target), target);
    assert.equal(graph.outputs.length, 1);
    const summary = JSON.parse(stdout) as { operators: Record<string, number>; parameters: number };
    assert.ok((summary.operators['Gemm'] ?? 0) >= 2 && summary.parameters > 10_000);
  });

  test('tfjs-to-onnx exits with 3 for a layer it does not support, and writes nothing', async () => {
    const source = join(directory, 'model.json');
    const layers = [
      { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: [null, 4, 4] } },
      { class_name: 'Lambda', config: { name: 'mystery' } },
    ];
    const modelTopology = { class_name: 'Sequential', config: { name: 's', layers } };
    await writeFile(source, JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: [] }));
    const { code, stderr } = await commandLines.run(['tfjs-to-onnx', source, join(directory, 'none.onnx')]);
    assert.match(stderr, /"mystery".*Lambda/);
    assert.equal(code, 3);
    assert.ok(!(await readdir(directory)).some((name) => name.startsWith('none.onnx')));
  });

  test('onnx-to-tfjs converts the published model, verifies it, and --json says what came out', async () => {
    const target = join(directory, 'layers');
    const [version] = await readdir(join(ROOT, 'models', 'fashion-mlp'));
    const source = join(ROOT, 'models', 'fashion-mlp', String(version), 'model.onnx');
    const outputs = ['--outputs', 'logits,probabilities']; // outlier scores are no layers
    const words = ['onnx-to-tfjs', source, target, ...outputs, '--verify', '--json'];
    const { code, stdout } = await commandLines.run(words);
    assert.equal(code, 0);
    assert.deepEqual((await readdir(target)).sort(), ['model.json', 'weights.bin']);
    const summary = JSON.parse(stdout) as {
      layers: Record<string, number>;
      parameters: number;
      verification: { verified: boolean; largestDifference: number };
    };
    assert.ok((summary.layers['Dense'] ?? 0) >= 2 && summary.parameters > 10_000);
    assert.ok(summary.verification.verified && summary.verification.largestDifference < 1e-5);
  });

  test('onnx-to-tfjs refuses an output that the model does not have', async () => {
    const [version] = await readdir(join(ROOT, 'models', 'fashion-mlp'));
    const source = join(ROOT, 'models', 'fashion-mlp', String(version), 'model.onnx');
    const command = ['onnx-to-tfjs', source, join(directory, 'no-output'), '--outputs', 'nothing'];
    const { code, stderr } = await atelier(command).finished;
    assert.match(stderr, /"nothing" is no output of graph/);
    assert.equal(code, 2);
  });

  test('onnx-to-tfjs exits with 3 for an operator it does not support, and writes nothing', async () => {
    const source = join(directory, 'sine.onnx');
    const torch = new TorchExport(1);
    await writeFile(source, encodeModel(torch.model({ name: 'x', shape: [4] }, torch.op('Sin', 'wave', ['x']))));
    const { code, stderr } = await commandLines.run(['onnx-to-tfjs', source, join(directory, 'no-layers')]);
    assert.match(stderr, /Node "\/wave\/Sin" is a Sin; supported: .*\(unsupported-operator\)/);
    assert.equal(code, 3);
    assert.ok(!(await readdir(directory)).some((name) => name.startsWith('no-layers')));
  });

  test('a truncated data file is named with what was expected, and nothing is trained (real data)', async () => {
    await loadFashionMnist({ cacheDirectory: DATA });
    const copy = join(directory, 'data');
    await cp(DATA, copy, { recursive: true });
    const [images] = (await readdir(copy)).filter((name) => name.startsWith('t10k-images'));
    await truncate(join(copy, String(images)), 1_000_000);
    const runs = join(directory, 'runs-of-truncated');
    const { code, stderr } = await commandLines.run(['train', '--recipe', 'ann-128', '--publish'], {
      FASHION_MNIST_DIR: copy,
      RUNS_DIR: runs,
      MODELS_DIR: join(directory, 'models'),
    });
    assert.equal(code, 1);
    assert.match(stderr, /t10k-images/);
    assert.match(stderr, /expected|sha256|SHA-256/i);
    await assert.rejects(readdir(runs), { code: 'ENOENT' });
    await assert.rejects(readdir(join(directory, 'models')), { code: 'ENOENT' });
  });

  test('one Ctrl-C that arrives twice, as through npm, is one interruption (real data)', async () => {
    const runs = join(directory, 'runs-twice');
    const program = atelier(['train', '--recipe', 'ann-128', '--limit', '2000', '--epochs', '500'], { RUNS_DIR: runs });
    await program.wrote(/Epoch 1:/);
    program.pressControlC();
    await new Promise((resolve) => setTimeout(resolve, 20));
    program.pressControlC();
    const { code } = await program.finished;
    assert.equal(code, 1);
    const [id] = (await readdir(runs)).sort();
    assert.equal((await readRun(join(runs, String(id)))).state, 'interrupted');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} while training leaves a readable run that says interrupted (real data)`, async () => {
      const runs = join(directory, `runs-${signal}`);
      const environment = { RUNS_DIR: runs, MODELS_DIR: join(directory, 'models') };
      const program = atelier(
        ['train', '--recipe', 'ann-128', '--limit', '2000', '--epochs', '500', '--publish'],
        environment,
      );
      await program.wrote(/Epoch 2:/);
      program.process.kill(signal);
      const { code, stderr } = await program.finished;
      assert.equal(code, 1);
      assert.match(stderr, /Interrupted in epoch \d+/);
      const [id] = (await readdir(runs)).sort();
      const run = await readRun(join(runs, String(id)));
      assert.equal(run.state, 'interrupted');
      assert.equal(run.error?.code, 'training-interrupted');
      const history = (await readFile(join(runs, String(id), 'history.ndjson'), 'utf8')).trim().split('\n');
      assert.equal(history.length, run.epochs);
      assert.ok(run.epochs >= 2);
      await assert.rejects(readdir(join(directory, 'models')), { code: 'ENOENT' });
    });
  }
});
