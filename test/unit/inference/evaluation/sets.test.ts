import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openDatasetSet, openSetAt, readLabelsCsv } from '@atelier/inference';
import {
  drawn,
  drawnEdition,
  drawnFiles,
  idxFile,
  writeFiles,
  zippedFiles,
} from '../../fashion-mnist/drawn-dataset.ts';
import { contentsOf, LIMITS, partsOf, scratchFor, setOf } from './stored.ts';

const { images, labels } = drawn.test;
const imageFile = idxFile([10, 28, 28], images);
const labelFile = idxFile([10], labels);

/** The images and labels of all parts, one behind the other. */
async function pixelsOf(set: Awaited<ReturnType<typeof setOf>>) {
  const parts = (await partsOf(set)).flatMap((part) => (part.kind === 'pixels' ? [part] : []));
  return {
    images: Buffer.concat(parts.map((part) => part.images)),
    labels: Buffer.concat(parts.map((part) => part.labels)),
    names: parts.flatMap((part) => part.names),
  };
}

describe('IDX files of images and labels', () => {
  test('are read plain or as gzip, whichever comes first, and their digest is of the bytes as they came', async (t) => {
    for (const [first, second] of [
      [imageFile, labelFile],
      [labelFile, imageFile],
      [gzipSync(imageFile), gzipSync(labelFile)],
    ] as const) {
      const set = await setOf(t, { a: first, b: second });
      const found = await pixelsOf(set);
      assert.deepEqual([found.images.equals(images), found.labels.equals(labels)], [true, true]);
      assert.deepEqual([set.form, set.total, found.names[3]], ['idx', 10, 'image 3']);
      const [imagesAsCame, labelsAsCame] = first === labelFile ? [second, first] : [first, second];
      const sum = createHash('sha256').update(imagesAsCame).update(labelsAsCame).digest('hex');
      assert.equal(await set.digest(), `sha256:${sum}`);
      assert.equal(set.bytes, first.length + second.length);
    }
  });

  test('are refused where they are cut off, do not fit each other or have another label', async (t) => {
    const malformed = { name: 'DomainError', code: 'malformed-idx' };
    await assert.rejects(setOf(t, { a: imageFile.subarray(0, -1), b: labelFile }), malformed);
    await assert.rejects(setOf(t, { a: imageFile, b: idxFile([9], labels.subarray(0, 9)) }), malformed);
    const strange = await setOf(t, { a: imageFile, b: idxFile([10], labels.with(4, 10)) });
    await assert.rejects(partsOf(strange), { ...malformed, message: /label 4/ });
  });

  test('are refused where one is missing, and where gzip is damaged or unpacks to more than is taken', async (t) => {
    await assert.rejects(setOf(t, { a: imageFile }), { code: 'missing-image', message: /a: IDX images/ });
    await assert.rejects(setOf(t, { a: imageFile, b: imageFile }), { code: 'missing-image' });
    await assert.rejects(setOf(t, {}), { code: 'missing-image', message: /came nothing/ });
    const damaged = gzipSync(imageFile).fill(0x55, 40, 60);
    await assert.rejects(setOf(t, { a: damaged, b: labelFile }), { code: 'malformed-body' });
    await assert.rejects(setOf(t, { a: gzipSync(imageFile), b: labelFile }, { maximumUnpackedBytes: 1_000 }), {
      code: 'payload-too-large',
    });
  });
});

describe("Kaggle's CSV", () => {
  const header = ['label', ...Array.from({ length: 784 }, (_, index) => `pixel${index + 1}`)].join(',');
  const row = (index: number) => [labels[index], ...images.subarray(index * 784, (index + 1) * 784)].join(',');
  const rows = Array.from({ length: 300 }, (_, index) => row(index % 10));

  test('is read in parts, plain or as gzip, with line ends of either kind', async (t) => {
    for (const text of [[header, ...rows].join('\n'), `${[header, ...rows].join('\r\n')}\r\n`]) {
      for (const bytes of [Buffer.from(text), gzipSync(text)]) {
        const set = await setOf(t, { 'a.csv': bytes });
        const found = await pixelsOf(set);
        assert.equal(found.labels.length, 300);
        assert.ok(found.images.subarray(0, images.length).equals(images));
        assert.deepEqual([set.form, set.total, found.names[299]], ['csv', null, 'line 301']);
      }
    }
  });

  test('has a row that cannot be read listed by its line, and the others measured', async (t) => {
    const faulty = [header, ...rows.slice(0, 5), '3,oops', ...rows.slice(5, 8)].join('\n');
    const found = await contentsOf(await setOf(t, { 'a.csv': Buffer.from(faulty) }));
    assert.equal(found.length, 9);
    assert.equal(found[5], 'line 7: malformed-csv');
    assert.equal(found[8], `line 10: ${labels[7]}`);
  });

  test('is refused where its header is another, and where a line has no end', async (t) => {
    await assert.rejects(setOf(t, { 'a.csv': Buffer.from('a,b\n1,2\n') }), { code: 'malformed-csv' });
    const endless = Buffer.from(`${header}\n${'1,'.repeat(100_000)}`);
    await assert.rejects(setOf(t, { 'a.csv': endless }).then(partsOf), { code: 'malformed-csv' });
  });
});

describe('a split of the data set', () => {
  const places = (context: TestContext) => async () => {
    const { scratch, folder } = await scratchFor(context);
    const [cacheDirectory, systemDirectory] = [join(folder, 'cache'), join(folder, 'system')];
    return { scratch, places: { directory: undefined, cacheDirectory, systemDirectory, edition: drawnEdition } };
  };

  test('is read where it lies, plain or as gzip, in the cache first', async (t) => {
    for (const files of [drawnFiles, zippedFiles]) {
      const { scratch, places: found } = await places(t)();
      await writeFiles(found.systemDirectory, files);
      const set = await openDatasetSet('test', found, scratch);
      t.after(() => set.close());
      assert.ok((await pixelsOf(set)).images.equals(images));
      assert.equal(set.form, 'dataset');
    }
  });

  test('is not downloaded: without a copy the message says what to do, and no path', async (t) => {
    const { scratch, places: nowhere } = await places(t)();
    await assert.rejects(openDatasetSet('train', nowhere, scratch), (error: Error & { code: string }) => {
      assert.equal(error.code, 'dataset-not-found');
      assert.match(error.message, /npm run fetch-dataset/);
      assert.ok(!error.message.includes(nowhere.cacheDirectory));
      return true;
    });
  });

  test('is refused where its bytes are others', async (t) => {
    const { scratch, places: found } = await places(t)();
    await writeFiles(found.cacheDirectory, {
      ...drawnFiles,
      't10k-labels-idx1-ubyte': idxFile([10], labels.with(0, 0)),
    });
    await assert.rejects(openDatasetSet('test', found, scratch), { code: 'dataset-corrupt' });
  });
});

describe('a path of this machine', () => {
  test('may be a folder of pictures by class, whose links are listed and not followed', async (t) => {
    const { scratch, folder } = await scratchFor(t);
    await mkdir(join(folder, 'set', 'Bag'), { recursive: true });
    await writeFile(join(folder, 'set', 'Bag', 'a.png'), 'x');
    await symlink(join(folder, 'set', 'Bag', 'a.png'), join(folder, 'set', 'Bag', 'b.png'));
    await writeFile(join(folder, 'set', 'Bag', '.DS_Store'), 'x');
    const set = await openSetAt(join(folder, 'set'), LIMITS, scratch);
    assert.deepEqual(await contentsOf(set), ['Bag/a.png: 8', 'Bag/b.png: unsafe-entry']);
    assert.deepEqual([set.form, set.ignored, set.bytes], ['folder', 1, 1]);
  });

  test('may be a folder with the IDX files of the data set', async (t) => {
    const { scratch, folder } = await scratchFor(t);
    await writeFiles(join(folder, 'idx'), zippedFiles);
    const set = await openSetAt(join(folder, 'idx'), LIMITS, scratch);
    t.after(() => set.close());
    assert.deepEqual([set.form, set.total], ['idx', 10]);
  });

  test('that is not there is said to be missing', async (t) => {
    const { scratch, folder } = await scratchFor(t);
    await assert.rejects(openSetAt(join(folder, 'nothing'), LIMITS, scratch), { code: 'dataset-not-found' });
  });
});

describe('scratch files', () => {
  test('have no name on the disk while they are used, and give their room back', async (t) => {
    const { scratch, folder } = await scratchFor(t);
    const file = await scratch.create('An upload');
    await file.write(Buffer.alloc(1_000));
    assert.deepEqual(await readdir(folder), []);
    assert.equal(scratch.bytes, 1_000);
    const stored = file.finish();
    assert.equal((await stored.read(990, 100)).length, 10);
    await stored.close();
    assert.equal(scratch.bytes, 0);
  });

  test('refuse more than one may have, and more than all may have together', async (t) => {
    const { scratch } = await scratchFor(t, { ...LIMITS, maximumUploadBytes: 1_000, maximumScratchBytes: 1_500 });
    const first = await scratch.create('An upload');
    await first.write(Buffer.alloc(1_000));
    await assert.rejects(first.write(Buffer.alloc(1)), { code: 'payload-too-large' });
    const second = await scratch.create('Another');
    await assert.rejects(second.write(Buffer.alloc(501)), { code: 'overloaded' });
    await first.discard();
    await second.write(Buffer.alloc(501));
    await second.discard();
    assert.equal(scratch.bytes, 0);
  });
});

describe('a file of labels', () => {
  const read = (text: string) => [...readLabelsCsv(text, 'labels.csv').classes];

  test('may have a header, in which the columns stand in any order, or none', () => {
    assert.deepEqual(read('label,other,Filename\r\nbag,1,a.png\r\n'), [['a.png', 8]]);
    assert.deepEqual(read('\ufeffa.png,0\n\n./b.png,"T-shirt/top"\n"c ""d"".png",9'), [
      ['a.png', 0],
      ['b.png', 0],
      ['c "d".png', 9],
    ]);
  });

  test('is refused by line where it has no label, another class or an open quote', () => {
    for (const [text, line] of [
      ['', 1],
      ['a.png,1\nb.png', 2],
      ['a.png,1\nb.png,10', 2],
      ['"a.png,1', 1],
    ] as const) {
      assert.throws(() => read(text), { code: 'malformed-labels', message: new RegExp(`line ${line}:`) });
    }
  });
});
