import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EventLog, EventReader } from '@atelier/trainer';
import fc from 'fast-check';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Whatever a line may be: without an end inside, of one byte a character and of four. */
const line = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\n', ' '));
const RUNS = { numRuns: 60 };

describe('the reader of events', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());
  let files = 0;
  const newPath = () => join(folder.path, `${files++}.ndjson`);

  async function allOf(reader: EventReader): Promise<{ id: number; line: string }[]> {
    const found: { id: number; line: string }[] = [];
    for (let lines = await reader.next(); lines.length > 0; lines = await reader.next()) found.push(...lines);
    return found;
  }
  const numbered = (lines: readonly string[], from = 0) =>
    lines.map((text, index) => ({ id: index + 1, line: text })).slice(from);

  test('gives every line once and in order, however the writes and the reads fall', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat({ max: 60 }), { maxLength: 40 }),
        async (lines, sizes) => {
          const path = newPath();
          const reader = new EventReader(path);
          const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
          const found = [...(await reader.next())]; // there is no file yet
          let written = 0;
          for (const size of [...sizes, bytes.length]) {
            await appendFile(path, bytes.subarray(written, written + size));
            written = Math.min(bytes.length, written + size);
            if (size % 3 !== 0 || written === bytes.length) found.push(...(await allOf(reader)));
          }
          await reader.close();
          assert.deepEqual(found, numbered(lines));
          assert.equal(reader.lines, lines.length);
        },
      ),
      RUNS,
    );
  });

  test('skips any number of lines, and no more than there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
        const path = newPath();
        await writeFile(path, `${lines.map((each) => `${each}\n`).join('')}{"torn`);
        for (let count = 0; count <= lines.length + 2; count++) {
          const reader = new EventReader(path);
          await reader.skip(count);
          assert.equal(reader.lines, Math.min(count, lines.length));
          assert.deepEqual(await allOf(reader), numbered(lines, count));
          await reader.close();
        }
      }),
      { numRuns: 20 },
    );
  });

  test('skips and reads what is longer than one read brings', async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `${index} ${'x'.repeat(index % 97)}`); // 160 KB
    const path = newPath();
    await writeFile(path, lines.map((each) => `${each}\n`).join(''));
    for (const count of [0, 1, 1190, 1200, 1210, 2400, 2999, 3000, 4000]) {
      const reader = new EventReader(path);
      await reader.skip(count);
      assert.deepEqual(await allOf(reader), numbered(lines, count), `after ${count}`);
      await reader.close();
    }
  });

  test('reads what takes the place of a line that a crash tore, under its number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), fc.nat({ max: 9000 }), async (lines, torn) => {
        const path = newPath();
        await writeFile(path, `${lines.map((each) => `${each}\n`).join('')}${'x'.repeat(torn)}`);
        const reader = new EventReader(path);
        assert.deepEqual(await allOf(reader), numbered(lines));
        const log = await EventLog.open(path);
        assert.equal((await readFile(path)).length, Buffer.byteLength(lines.map((each) => `${each}\n`).join('')));
        log.append('cancelled', { reason: 'asked for' });
        const [next, ...more] = await allOf(reader);
        assert.equal(next?.id, lines.length + 1);
        assert.equal((JSON.parse(next.line) as { event: string }).event, 'cancelled');
        assert.deepEqual(more, []);
        await reader.close();
      }),
      RUNS,
    );
  });

  test('fails where the file cannot be read, and is closed more than once without harm', async () => {
    const reader = new EventReader(folder.path);
    await assert.rejects(reader.next(), { code: /EISDIR|invalid-run/ });
    await reader.close();
    await reader.close();
  });
});
