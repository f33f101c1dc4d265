import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coalesced } from '@atelier/inference';

test('calls while a task runs share one further run, which begins when that one has ended', async () => {
  const ends: (() => void)[] = [];
  const run = coalesced(() => new Promise<void>((resolve) => ends.push(resolve)));
  const first = run();
  const others = Promise.all([run(), run(), run()]);
  assert.equal(ends.length, 1);
  ends[0]?.();
  await first;
  await new Promise(setImmediate);
  assert.equal(ends.length, 2);
  const last = run();
  ends[1]?.();
  await others;
  await new Promise(setImmediate);
  assert.equal(ends.length, 3, 'a call while the second runs is not answered by it');
  ends[2]?.();
  await last;
});
