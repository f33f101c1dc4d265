import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { DomainError } from '@atelier/domain';
import { createLog } from '@atelier/http';
import { BulkProcess, type Decoded, DEFAULT_IMAGE_OPTIONS, plainFile } from '@atelier/inference';
import { garmentImage, pngOf } from '../support/pictures.ts';

const FRAGILE = new URL('../support/fragile-bulk.mjs', import.meta.url).pathname;

function openBulk(context: TestContext, entry?: string): BulkProcess {
  const options = { decoders: 2, maximumPixels: 1_000_000, log: createLog('test', 'silent') };
  const bulk = new BulkProcess({ ...options, ...(entry !== undefined && { entry }) });
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

  test('answers nothing more when it is closed', async (t) => {
    const bulk = openBulk(t, FRAGILE);
    await bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined);
    await bulk.close();
    await assert.rejects(bulk.decode(files('x'), DEFAULT_IMAGE_OPTIONS, undefined), { code: 'shutting-down' });
  });
});
