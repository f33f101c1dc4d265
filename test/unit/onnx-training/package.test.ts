import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withOperators } from '../../../packages/onnx-training/operator-table.ts';

const home = new URL('../../../packages/onnx-training/', import.meta.url);
const example = new URL('examples/spiral.ts', home);

describe('the package of training graphs, to someone who has only its README', () => {
  test('has an example that runs as it stands and puts at least 95 % of new points on the right arm', async () => {
    const words = ['--import', 'tsx', fileURLToPath(example)];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    const [, right, all] = /^(\d+) of (\d+) new points are on the right arm$/m.exec(stdout) ?? [];
    assert.ok(Number(all) >= 100 && Number(right) / Number(all) >= 0.95, stdout);
  });

  test('shows that example word for word', async () => {
    const readme = await readFile(new URL('README.md', home), 'utf8');
    const [, shown] = /```ts\n(.*?)```/s.exec(readme) ?? [];
    assert.equal(shown, await readFile(example, 'utf8'));
  });

  test('lists the operators that a gradient flows through, and what to know of each, as the code has them', async () => {
    const readme = await readFile(new URL('README.md', home), 'utf8');
    assert.equal(readme, withOperators(readme), 'run npm run generate:operators');
    assert.match(readme, /^\| `Gather` +\| along axis 0 +\|$/m);
  });

  test('shows a rule and its examples as they are', async () => {
    const readme = await readFile(new URL('README.md', home), 'utf8');
    const [, section = ''] = /^## Add an operator rule\n(.*?)^## /ms.exec(readme) ?? [];
    const withoutIndent = (text: string) => text.replaceAll(/^ +/gm, '');
    const [rule, example] = [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => withoutIndent(code));
    const rules = await readFile(new URL('src/operators/activations.ts', home), 'utf8');
    const examples = await readFile(new URL('../../support/gradients/cases/activations.ts', import.meta.url), 'utf8');
    assert.ok(rule !== undefined && withoutIndent(rules).includes(rule), rule);
    assert.ok(example !== undefined && withoutIndent(examples).includes(example), example);
  });
});
