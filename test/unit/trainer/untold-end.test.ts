import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RunFolder } from '@atelier/trainer';
import { eventsOf } from '../../support/run-attempts.ts';
import { smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

test('an interruption that a process had no time to tell is told by whoever opens the run next, once', async () => {
  const run = await RunFolder.create(folder.path, {
    recipe: smallRecipe(),
    request: { engine: 'onnx', device: 'cpu', threads: 1, limit: null },
    job: null,
    publishAs: null,
  });
  const engine = {
    name: 'onnx',
    kind: 'cpu',
    device: 'cpu, 1 thread',
    threads: 1,
    software: null,
    reason: '',
  } as const;
  await run.begin({ engine, data: { digest: `sha256:${'0'.repeat(64)}`, source: 'drawn', limit: null } });
  run.endNow(); // as at the exit of its process
  for (let openings = 0; openings < 2; openings++) await (await RunFolder.open(run.directory)).release();
  assert.deepEqual(
    (await eventsOf(run.directory)).map(({ event }) => event),
    ['queued', 'started', 'interrupted'],
  );
});
