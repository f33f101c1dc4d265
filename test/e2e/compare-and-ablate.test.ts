import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readKnownLooks } from '../../scripts/src/comparison/known-looks.ts';
import { atelier, ROOT } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('npm run compare and npm run ablate (real data)', () => {
  let runs: string;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
    runs = folder.path;
  });
  after(() => folder.remove());

  const finished = (words: string[]) => atelier(words, { RUNS_DIR: runs }).finished;
  const trialPage = () => readFile(join(runs, 'trial-comparison', 'results.md'), 'utf8');
  const TINY = [
    '--recipes',
    'ann-128',
    '--limit',
    '300',
    '--epochs-scale',
    '0.1',
    '--engine',
    'onnx',
    '--device',
    'cpu',
  ];

  test('a trial comparison trains each seed, writes its page in the runs folder and counts its looks', async () => {
    const { code, stderr } = await finished(['compare', ...TINY, '--seeds', '1,2']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Run 2 of 2: ann-128, seed 2/);
    const known = (await readKnownLooks(join(ROOT, 'docs', 'test-looks.json')))['ann-128']?.length ?? 0;
    assert.match(await trialPage(), new RegExp(`\\| ann-128 +\\| 1 .*\\| ${known + 2} +\\|$`, 'm'));
    assert.match(await trialPage(), /\| deep-bn .*not run/);
    assert.ok((await readdir(join(runs, 'trial-comparison'))).includes('results.svg'));
  });

  test('--continue trains only what is missing', async () => {
    const { code, stderr } = await finished(['compare', ...TINY, '--seeds', '1,2,3', '--continue']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Run 1 of 1: ann-128, seed 3/);
    assert.match(await trialPage(), /; 3 runs of/);
  });

  test('a recipe that there is not is told with those there are, before anything is trained', async () => {
    const { code, stderr } = await finished(['compare', '--recipes', 'ann-128,resnet']);
    assert.match(stderr, /No recipe "resnet"; there is: .*\(unknown-recipe\)/);
    assert.equal(code, 2);
  });

  test('an ablation trains the eight combinations and writes its table and charts', async () => {
    const words = ['--epochs', '1', '--seeds', '1', '--limit', '200', '--engine', 'onnx', '--device', 'cpu'];
    const { code, stderr } = await finished(['ablate', '--recipe', 'ann-128-64', ...words]);
    assert.equal(code, 0, stderr);
    const written = join(runs, 'trial-ablation-ann-128-64');
    const page = await readFile(join(written, 'ablation.md'), 'utf8');
    for (const name of ['none', 'dropout and weight decay', 'all'])
      assert.match(page, new RegExp(`^\\| ${name} +\\|`, 'm'));
    assert.deepEqual((await readdir(written)).sort(), [
      ...['ablation-accuracy.svg', 'ablation-loss.svg', 'ablation.json', 'ablation.md', 'runs.json'],
    ]);
  });
});
