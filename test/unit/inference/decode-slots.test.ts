import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DecodeSlots } from '@atelier/inference';

describe('slots for decoding', () => {
  test('let as many tasks run as there are, in the order in which they came', async () => {
    const slots = new DecodeSlots(2);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const tasks = Array.from({ length: 5 }, (_, task) =>
      slots.run(async () => {
        started.push(task);
        await new Promise<void>((resolve) => (finish[task] = resolve));
        return task;
      }),
    );
    assert.deepEqual(started, [0, 1]);
    finish[1]?.();
    await tasks[1];
    await Promise.resolve();
    assert.deepEqual(started, [0, 1, 2]);
    for (const task of [0, 2, 3, 4]) {
      while (finish[task] === undefined) await new Promise(setImmediate);
      finish[task]();
    }
    assert.deepEqual(await Promise.all(tasks), [0, 1, 2, 3, 4]);
    assert.deepEqual(started, [0, 1, 2, 3, 4]);
  });

  test('are all taken by a task that needs them, which waits for them and is passed by nobody', async () => {
    const slots = new DecodeSlots(2);
    const order: string[] = [];
    const finish: Record<string, () => void> = {};
    const work = (name: string, weight: number) =>
      slots.run(
        async () => {
          order.push(name);
          await new Promise<void>((resolve) => (finish[name] = resolve));
        },
        undefined,
        weight,
      );
    const tasks = [work('first', 1), work('heavy', 5), work('light', 1), work('other', 1)];
    assert.deepEqual(order, ['first']);
    finish['first']?.();
    await tasks[0];
    await new Promise(setImmediate);
    assert.deepEqual(order, ['first', 'heavy']);
    finish['heavy']?.();
    await tasks[1];
    await new Promise(setImmediate);
    assert.deepEqual(order, ['first', 'heavy', 'light', 'other']);
    finish['light']?.();
    finish['other']?.();
    await Promise.all(tasks);
  });

  test('are free again after a task that failed', async () => {
    const slots = new DecodeSlots(1);
    await assert.rejects(slots.run(() => Promise.reject(new Error('broken'))));
    assert.equal(await slots.run(() => Promise.resolve('next')), 'next');
  });

  test('go round between those who take one at a time: many tasks do not hold up a single one', async () => {
    const slots = new DecodeSlots(1);
    const order: string[] = [];
    const work = (name: string) => slots.run(async () => void order.push(await Promise.resolve(name)));
    const many = (async () => {
      for (let count = 0; count < 10; count++) await work('many');
    })();
    const single = work('single');
    await Promise.all([many, single]);
    assert.equal(order.indexOf('single'), 1);
  });
});
