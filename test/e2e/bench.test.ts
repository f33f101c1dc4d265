import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { benchProgram } from '../../scripts/bench/programs.ts';
import { Program, ROOT } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('npm run bench (real data)', () => {
  let runs: string;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
    runs = folder.path;
  });
  after(() => folder.remove());

  const bench = (words: string[]) =>
    new Program(process.execPath, [join(ROOT, 'scripts', 'bench', 'main.mjs'), ...words], { RUNS_DIR: runs }).finished;

  test('measures every variant of the training in a process of its own, and leaves a page and no run', async () => {
    const { code, stderr } = await bench(['training', '--quick', '--rounds', '1']);
    assert.equal(code, 0, stderr);
    const page = await readFile(join(runs, 'quick-benchmarks', 'benchmarks.md'), 'utf8');
    assert.match(page, /^\| atelier: most memory that the training process held +\| at most 700 MB +\| \d+ MB +\|/m);
    const { training } = JSON.parse(await readFile(join(runs, 'quick-benchmarks', 'benchmarks.json'), 'utf8')) as {
      training: { samples: Record<string, Record<string, number>[]> };
    };
    for (const [variant, samples] of Object.entries(training.samples)) {
      const [sample = {}] = samples;
      assert.ok(Object.keys(sample).length > 0, variant);
      for (const [name, value] of Object.entries(sample)) assert.ok(value > 0, `${variant}, ${name}: ${value}`);
    }
    assert.deepEqual(await readdir(runs), ['quick-benchmarks']);
  });

  test('measures how soon the trainer answers, what a search and a conversion take, and leaves no run', async () => {
    for (const name of ['trainer', 'search', 'convert']) {
      const { code, stderr } = await bench([name, '--quick', '--rounds', '1']);
      assert.equal(code, 0, stderr);
    }
    const page = await readFile(join(runs, 'quick-benchmarks', 'benchmarks.md'), 'utf8');
    assert.match(page, /^\| while deep-bn trains at full speed +\| [\d.]+ ms +\| [\d.]+ ms +\| [\d.]+ ms +\|/m);
    assert.match(page, /^\| Dense layers, float32 in one file +\| 4 MB +\| [\d.]+ s +\| [\d.]+ times +\|/m);
    assert.match(page, /^\| seed 0 .*\| [\d.]+ % +\| [\d.]+ % +\| 5 of 9 +\|/m);
    assert.deepEqual(await readdir(runs), ['quick-benchmarks']);
  });

  test('measures what a service at five times its capacity answers, and a soak that catches a planted leak', async () => {
    const page = (name: string) => join(runs, 'quick-benchmarks', `${name}.md`);
    await Promise.all(
      ['serving-overload', 'serving-soak'].map(async (name) => {
        const { code, stderr } = await bench([name, '--quick', '--rounds', '1', '--out', page(name)]);
        assert.equal(code, 0, stderr);
      }),
    );
    const overload = await readFile(page('serving-overload'), 'utf8');
    assert.match(overload, /^\| `pixels` of one image: lost, wrong or hung +\| at most 0 +\| 0 +\| yes +\|/m);
    assert.match(overload, /^\| JPEG of 1024×768: lost, wrong or hung +\| at most 0 +\| 0 +\| yes +\|/m);
    const soak = await readFile(page('serving-soak'), 'utf8');
    for (const outcome of ['answers of 500 and above', 'lost', "with another image's probabilities[^|]+", 'hung']) {
      assert.match(soak, new RegExp(`^\\| ${outcome} +\\| at most 0 +\\| 0 +\\| yes +\\|`, 'm'));
    }
    assert.match(soak, /^\| rounds in which the planted leak was caught +\| at least 1 +\| 1 +\| yes +\|/m);
  });

  test('measures a server of each kind under load, the decoding without one, and a start', async () => {
    const options = { isQuick: true, datasetCache: '', runsDirectory: runs, modelsDirectory: join(ROOT, 'models') };
    const measure = async (variant: string) => {
      const words = [await benchProgram('serving/speed/variants'), variant, JSON.stringify(options)];
      const { code, stdout, stderr } = await new Program(process.execPath, words).finished;
      assert.equal(code, 0, `${variant}: ${stderr}`);
      const sample = JSON.parse(stdout) as Record<string, number | null>;
      for (const [name, value] of Object.entries(sample)) assert.ok((value ?? 0) > 0, `${variant}, ${name}: ${value}`);
    };
    for (const pair of [
      ['tensors', 'hand-written-binary'],
      ['two-processes-pixels', 'decoding-loop', 'start'],
    ]) {
      await Promise.all(pair.map(measure));
    }
  });

  test('measures evaluations, the decoding without a service, predictions beside them, and explanations', async () => {
    const out = join(runs, 'evaluation.md');
    const { code, stderr } = await bench(['evaluation', '--quick', '--rounds', '1', '--out', out]);
    assert.equal(code, 0, stderr);
    const page = await readFile(out, 'utf8');
    assert.match(
      page,
      /^\| the same as grey PNG in a ZIP: share of a bare decoding loop of sharp +\| at least 90.0 % +\| [\d.]+ %/m,
    );
    assert.match(page, /^\| beside an evaluation of RGB PNG +\| [\d.]+ ms +\| [\d.]+ ms +\| [\d.]+ ms +\| \d+ +\|/m);
  });

  test('a benchmark that there is not is told with those there are', async () => {
    const { code, stderr } = await bench(['cooking']);
    assert.match(stderr, /training/);
    assert.equal(code, 2);
  });
});
