import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DomainError } from '@atelier/domain';
import { createLog } from '@atelier/http';
import { BulkProcess, type Decoded, DEFAULT_IMAGE_OPTIONS, plainFile } from '@atelier/inference';
import { childrenOf } from '../support/children.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { isGone } from '../support/process-gone.ts';
import { until } from '../support/until.ts';

const FRAGILE = new URL('../support/fragile-bulk.mjs', import.meta.url).pathname;

function openBulk(context: TestContext, entry?: string, idleMs?: number): BulkProcess {
  const options = { decoders: 2, maximumPixels: 1_000_000, log: createLog('test', 'silent') };
  const own = { ...(entry !== undefined && { entry }), ...(idleMs !== undefined && { idleMs }) };
  const bulk = new BulkProcess({ ...options, ...own });
  context.after(() => bulk.close());
  return bulk;
}

const files = (...texts: string[]) => texts.map((text) => plainFile(Buffer.from(text)));
const codes = (decoded: readonly Decoded[]) => decoded.map((one) => (one instanceof DomainError ? one.code : 'image'));

describe('the bulk process', () => {
  test('decodes many files of one message, each for itself', async (t) => {
    const bulk = openBulk(t);
    const image = garmentImage();
    const png = plainFile(await pngOf(image));
    const decoded = await bulk.decode(
      [png, ...files('no picture'), png, ...files('')],
      DEFAULT_IMAGE_OPTIONS,
      undefined,
    );
    assert.deepEqual(codes(decoded), ['image', 'unsupported-media-type', 'image', 'missing-image']);
    assert.ok(decoded[2] !== undefined && 'image' in decoded[2] && Buffer.from(decoded[2].image).equals(image));
  });

  test('that dies over files is started anew, and only those are not decoded, whatever came with them', async (t) => {
    const bulk = openBulk(t, FRAGILE);
    const many = (crash: number) =>
      files(...Array.from({ length: 9 }, (_, index) => (index === crash ? 'crash' : 'x')));
    const decode = (wanted: ReturnType<typeof files>) => bulk.decode(wanted, DEFAULT_IMAGE_OPTIONS, undefined);
    const [first, second, third] = await Promise.all([decode(many(4)), decode(many(-1)), decode(many(8))]);
    assert.deepEqual(codes(second), Array<string>(9).fill('image'));
    assert.deepEqual(codes(first), Array<string>(9).fill('image').with(4, 'undecodable-image'));
    assert.deepEqual(codes(third), Array<string>(9).fill('image').with(8, 'undecodable-image'));
    assert.deepEqual(codes(await decode(files('crash'))), ['undecodable-image']);
  });

  test('that has nothing to do ends, and whichever comes after it ends with the service', async (t) => {
    const others = await childrenOf(process.pid);
    const bulk = openBulk(t, FRAGILE, 20);
    const own = async () => (await childrenOf(process.pid)).filter((pid) => !others.includes(pid));
    t.after(async () => (await own()).forEach((pid) => process.kill(pid, 'SIGKILL'))); // else one that stays holds the test
    await bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined);
    const [first = 0] = await own();
    await until('it ends', () => isGone(first));
    for (let round = 0; round < 5; round++) {
      await bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined);
      await setTimeout(20 + round); // the next one comes while it ends, or just before
    }
    await bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined);
    await bulk.close();
    for (const pid of await own()) await until(`${pid} ends`, () => isGone(pid));
  });

  test('answers nothing more when it is closed', async (t) => {
    const bulk = openBulk(t, FRAGILE);
    await bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined);
    await bulk.close();
    await assert.rejects(bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined), { code: 'shutting-down' });
  });
});
