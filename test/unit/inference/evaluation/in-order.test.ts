import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { FileQueue, inOrder, plainFile } from '@atelier/inference';

async function* numbers(count: number, taken: number[] = []): AsyncGenerator<number> {
  for (let number = 0; number < count; number++) {
    taken.push(number);
    yield await Promise.resolve(number);
  }
}

describe('tasks in order', () => {
  test('give their results in the order of the items, whichever ends first, with so many in work', async () => {
    let inWork = 0;
    let most = 0;
    const task = async (number: number) => {
      most = Math.max(most, ++inWork);
      await pause((number * 7) % 5);
      inWork--;
      return number;
    };
    const results: number[] = [];
    for await (const result of inOrder(numbers(20), 3, task)) results.push(result);
    assert.deepEqual(
      results,
      Array.from({ length: 20 }, (_, index) => index),
    );
    assert.equal(most, 3);
  });

  test('take no more from the source than they have places, while nobody takes their results', async () => {
    const taken: number[] = [];
    const results = inOrder(numbers(100, taken), 2, (number) => Promise.resolve(number));
    await results.next();
    await pause(20);
    assert.ok(taken.length <= 4, `${taken.length} were taken`);
    await results.return();
  });

  test('give a result while the source has nothing more yet', async () => {
    async function* slow() {
      yield 1;
      await new Promise(() => undefined);
      yield 2;
    }
    const results = inOrder(slow(), 4, (number) => Promise.resolve(number));
    assert.deepEqual(await results.next(), { value: 1, done: false });
  });

  test('fail with the failure of a task or of the source, after the results before it', async () => {
    const failing = (number: number) => (number === 2 ? Promise.reject(new Error('two')) : Promise.resolve(number));
    const results = inOrder(numbers(5), 1, failing);
    assert.equal((await results.next()).value, 0);
    assert.equal((await results.next()).value, 1);
    await assert.rejects(results.next(), /two/);
    // eslint-disable-next-line require-yield -- it fails before it gives anything
    async function* broken(): AsyncGenerator<number> {
      await Promise.resolve();
      throw new Error('broken source');
    }
    await assert.rejects(inOrder(broken(), 2, failing).next(), /broken source/);
  });
});

describe('a queue of files', () => {
  const file = (name: string, bytes = 10) => ({ name, file: plainFile(Buffer.alloc(bytes)) });

  test('gives what has arrived together, up to 64 files or half a megabyte', async () => {
    const queue = new FileQueue();
    for (let index = 0; index < 70; index++) queue.push(file(`${index}`));
    queue.push(file('large', 500_000));
    queue.push(file('larger', 600_000));
    queue.end();
    const sizes: number[] = [];
    for await (const part of queue.parts()) sizes.push(part.length);
    assert.deepEqual(sizes, [64, 7, 1]);
  });

  test('has room again when a part was taken, and when nobody takes any more', async () => {
    const queue = new FileQueue();
    await queue.room();
    for (let index = 0; index < 64; index++) queue.push(file(`${index}`));
    let hasRoom = false;
    const room = queue.room().then(() => (hasRoom = true));
    await pause(5);
    assert.equal(hasRoom, false);
    const parts = queue.parts();
    await parts.next();
    await room;
    for (let index = 0; index < 64; index++) queue.push(file(`${index}`));
    const again = queue.room();
    await parts.return();
    await again;
  });

  test('fails with its reason once what came before was given', async () => {
    const queue = new FileQueue();
    queue.push(file('a'));
    queue.end(new Error('cut off'));
    const parts = queue.parts();
    assert.equal((await parts.next()).value?.length, 1);
    await assert.rejects(parts.next(), /cut off/);
  });
});
