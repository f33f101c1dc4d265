import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DIFFERENTIABLE } from '@atelier/onnx-training';

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

  test('lists the operators that a gradient flows through, no more and no fewer', async () => {
    const readme = await readFile(new URL('README.md', home), 'utf8');
    const [, section = ''] = /^## Operators\n(.*?)^## /ms.exec(readme) ?? [];
    const listed = [...section.matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name);
    assert.deepEqual(listed.sort(), [...DIFFERENTIABLE].sort());
  });
});
