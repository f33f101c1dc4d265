import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { readTestLooks, recordTestLook } from '@atelier/trainer';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('looks at the test images', () => {
  const folders: Awaited<ReturnType<typeof temporaryFolder>>[] = [];
  let directory: string;
  beforeEach(async () => {
    const folder = await temporaryFolder();
    folders.push(folder);
    directory = folder.path;
  });
  after(async () => {
    for (const folder of folders) await folder.remove();
  });
  const first = { run: 'a', recipe: 'small' };
  const second = { run: 'b', recipe: 'small' };

  test('behind a line that was cut off are kept, and that line is named', async () => {
    await recordTestLook(directory, first);
    await appendFile(join(directory, 'test-looks.ndjson'), '{"run":"c');
    await recordTestLook(directory, second);
    const notices: string[] = [];
    assert.deepEqual(await readTestLooks(directory, (message) => notices.push(message)), [first, second]);
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? '', /test-looks\.ndjson, line 2, was cut off and is left out\.$/);
  });

  test('of another form are refused, with the file and the line', async () => {
    await recordTestLook(directory, first);
    await appendFile(join(directory, 'test-looks.ndjson'), '{"run":3}\n');
    await assert.rejects(readTestLooks(directory), {
      code: 'invalid-run',
      message: /test-looks\.ndjson, line 2: run: .*; recipe: /,
    });
  });

  test('begin no line of their own in an empty file', async () => {
    await writeFile(join(directory, 'test-looks.ndjson'), '');
    await recordTestLook(directory, first);
    assert.deepEqual(await readTestLooks(directory), [first]);
  });
});
