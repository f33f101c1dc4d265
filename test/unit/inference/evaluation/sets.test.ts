import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  BulkTurns,
  type LabelsReading,
  OnlineTraffic,
  openDatasetSet,
  openSetAt,
  readLabelsCsv,
} from '@atelier/inference';
import { eventually } from '../../../support/eventually.ts';
import { zipFile } from '../../../support/zip-file.ts';
import {
  drawn,
  drawnEdition,
  drawnFiles,
  idxFile,
  writeFiles,
  zippedFiles,
} from '../../fashion-mnist/drawn-dataset.ts';
import { contentsOf, LIMITS, openingFor, partsOf, setIn, setOf } from './stored.ts';

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
    const twice = { code: 'invalid-request', message: /came a: IDX images; b: IDX images\./ };
    await assert.rejects(setOf(t, { a: imageFile, b: imageFile }), twice);
    await assert.rejects(setOf(t, {}), { code: 'missing-image', message: /came nothing/ });
    const damaged = gzipSync(imageFile).fill(0x55, 40, 60);
    await assert.rejects(setOf(t, { a: damaged, b: labelFile }), { code: 'malformed-body' });
    await assert.rejects(setOf(t, { a: gzipSync(imageFile), b: labelFile }, { maximumUnpackedBytes: 1_000 }), {
      code: 'payload-too-large',
    });
  });
});

describe('a file that came as gzip', () => {
  test('is refused where it unpacks to more than so many times its bytes', async (t) => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    await assert.rejects(setOf(t, { 'a.gz': bomb }), { code: 'payload-too-large', message: /^a\.gz unpacks from/ });
    const blank = gzipSync(idxFile([70, 28, 28], new Uint8Array(70 * 784)));
    const short = await setOf(t, { a: blank, b: gzipSync(idxFile([70], new Uint8Array(70))) });
    assert.equal(short.total, 70, 'a small one may have any ratio');
  });

  test('is no longer unpacked when its client has left, and leaves nothing on the disk', async (t) => {
    const opening = await openingFor(t, {
      ...LIMITS,
      maximumRatio: 10_000,
      maximumScratchBytes: 2e9,
      maximumUnpackedBytes: 2e9,
    });
    const megabyte = gzipSync(Buffer.alloc(1_000_000));
    const large = Buffer.concat(Array.from({ length: 1_000 }, () => megabyte));
    const unpacking = setIn(t, opening, { 'a.gz': large });
    const refused = assert.rejects(unpacking, { message: 'The client has left.' });
    await eventually('some of it is on the disk', () => (opening.scratch.bytes > 1_000_000 ? true : null));
    opening.abort();
    await refused;
    assert.equal(opening.scratch.bytes, 0);
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
        assert.deepEqual([set.form, set.total, found.names[299]], ['csv', 300, 'line 301']);
      }
    }
  });

  test('has a row that cannot be read listed by its line, and the others measured', async (t) => {
    const faulty = [header, ...rows.slice(0, 5), '3,oops', ...rows.slice(5, 8)].join('\n');
    const found = await contentsOf(await setOf(t, { 'a.csv': Buffer.from(faulty) }));
    assert.equal(found.length, 9);
    assert.equal(found[7], `line 10: ${labels[7]}`);
    assert.equal(found[8], 'line 7: malformed-csv');
  });

  test('is refused where it has more rows than are taken, whatever is in them', async (t) => {
    const set = await setOf(t, { 'a.csv': Buffer.from(`${header}\n${'x\n'.repeat(1_000)}`) });
    assert.equal(set.total, 1_000);
    assert.equal((await contentsOf(set)).length, 1_000);
    for (const more of ['x\n', 'x', '\n']) {
      const text = `${header}\n${'x\n'.repeat(1_000)}${more}`;
      await assert.rejects(setOf(t, { 'a.csv': Buffer.from(text) }), {
        code: 'archive-too-large',
        message: 'a.csv has more than 1000 rows.',
      });
    }
  });

  test('is refused where its header is another, and where a line has no end', async (t) => {
    await assert.rejects(setOf(t, { 'a.csv': Buffer.from('a,b\n1,2\n') }), { code: 'malformed-csv' });
    const endless = Buffer.from(`${header}\n${'1,'.repeat(100_000)}`);
    await assert.rejects(setOf(t, { 'a.csv': endless }), { code: 'malformed-csv', message: /line 2 has more/ });
  });
});

describe('a set that is long to open', () => {
  const header = ['label', ...Array.from({ length: 784 }, (_, index) => `pixel${index + 1}`)].join(',');
  const labels = { name: 'labels.csv', data: Buffer.from('a.png,1\n'.repeat(900)) };
  const entries = Array.from({ length: 900 }, (_, index) => ({ name: `1/${index}.png` }));
  const sets: [title: string, bytes: Buffer][] = [
    ['an archive of many entries', zipFile(entries)],
    ['a table of many labels', zipFile([labels])],
    ['CSV of many rows', Buffer.from(`${header}\n${'x\n'.repeat(900)}`)],
  ];

  for (const [title, bytes] of sets) {
    test(`is given up when its client has left: ${title}`, async (t) => {
      const opening = await openingFor(t);
      opening.abort();
      await assert.rejects(setIn(t, opening, { a: bytes }), { message: 'The client has left.' });
    });

    test(`lets whoever waits for an answer go first: ${title}`, async (t) => {
      const traffic = new OnlineTraffic();
      const opening = { ...(await openingFor(t)), turns: new BulkTurns(traffic) };
      const began = performance.now();
      await traffic.during(() => setIn(t, opening, { a: bytes }));
      assert.ok(performance.now() - began >= 20, 'it waits for a pause as long as steps of evaluations do, 25 ms');
    });
  }
});

describe('a split of the data set', () => {
  const places = (context: TestContext) => async () => {
    const opening = await openingFor(context);
    const { folder } = opening;
    const [cacheDirectory, systemDirectory] = [join(folder, 'cache'), join(folder, 'system')];
    return { opening, places: { directory: undefined, cacheDirectory, systemDirectory, edition: drawnEdition } };
  };

  test('is read where it lies, plain or as gzip, in the cache first', async (t) => {
    for (const files of [drawnFiles, zippedFiles]) {
      const { opening, places: found } = await places(t)();
      await writeFiles(found.systemDirectory, files);
      const set = await openDatasetSet('test', found, opening);
      t.after(() => set.close());
      assert.ok((await pixelsOf(set)).images.equals(images));
      assert.equal(set.form, 'dataset');
    }
  });

  test('is not downloaded: without a copy the message says what to do, and no path', async (t) => {
    const { opening, places: nowhere } = await places(t)();
    await assert.rejects(openDatasetSet('train', nowhere, opening), (error: Error & { code: string }) => {
      assert.equal(error.code, 'dataset-not-found');
      assert.match(error.message, /npm run fetch-dataset/);
      assert.ok(!error.message.includes(nowhere.cacheDirectory));
      return true;
    });
  });

  test('is refused where its bytes are others', async (t) => {
    const { opening, places: found } = await places(t)();
    await writeFiles(found.cacheDirectory, {
      ...drawnFiles,
      't10k-labels-idx1-ubyte': idxFile([10], labels.with(0, 0)),
    });
    await assert.rejects(openDatasetSet('test', found, opening), { code: 'dataset-corrupt' });
  });
});

describe('a path of this machine', () => {
  test('may be a folder of pictures by class, whose links are listed and not followed', async (t) => {
    const opening = await openingFor(t);
    const { folder } = opening;
    await mkdir(join(folder, 'set', 'Bag'), { recursive: true });
    await writeFile(join(folder, 'set', 'Bag', 'a.png'), 'x');
    await symlink(join(folder, 'set', 'Bag', 'a.png'), join(folder, 'set', 'Bag', 'b.png'));
    await writeFile(join(folder, 'set', 'Bag', '.DS_Store'), 'x');
    const set = await openSetAt(join(folder, 'set'), opening);
    assert.deepEqual(await contentsOf(set), ['Bag/a.png: 8', 'Bag/b.png: unsafe-entry']);
    assert.deepEqual([set.form, set.ignored, set.bytes], ['folder', 1, 1]);
  });

  test('has a digest of all files of a folder, as sha256sum prints them, whatever was read of them', async (t) => {
    const opening = await openingFor(t);
    const path = join(opening.folder, 'set');
    await mkdir(join(path, 'Bag'), { recursive: true });
    const files: [name: string, contents: string][] = [
      ['Bag/a.png', 'x'],
      ['labels.csv', 'b.png,1'],
      ['nowhere.png', 'unlabelled'],
    ];
    for (const [name, contents] of files) await writeFile(join(path, name), contents);
    await writeFile(join(path, 'Bag', '.DS_Store'), 'nobody');
    const sum = (contents: string) => createHash('sha256').update(contents).digest('hex');
    const lines = () => files.map(([name, contents]) => `${sum(contents)}  ${name}\n`).join('');
    const digest = async (read: boolean) => {
      const set = await openSetAt(path, opening);
      if (read) await partsOf(set);
      assert.equal(set.bytes, files.map(([, contents]) => contents).join('').length);
      return set.digest();
    };
    for (const read of [true, false]) assert.equal(await digest(read), `sha256:${sum(lines())}`);
    files[1] = ['labels.csv', 'b.png,2'];
    await writeFile(join(path, 'labels.csv'), 'b.png,2');
    assert.equal(await digest(true), `sha256:${sum(lines())}`);
  });

  test('may have a labels.csv, which is read as that of an archive is', async (t) => {
    const opening = await openingFor(t);
    const path = join(opening.folder, 'set');
    await mkdir(path);
    await writeFile(join(path, 'a.png'), 'x');
    await writeFile(join(path, 'labels.csv'), '\ufefffile,label\na.png,Bag\ngone.png,1\n');
    const set = await openSetAt(path, opening);
    assert.equal(set.total, 2);
    assert.deepEqual(await contentsOf(set), ['a.png: 8', 'gone.png: missing-entry']);
    for (const bytes of [Buffer.from('a\xff.png,1', 'latin1'), Buffer.alloc(200_000, '\n')]) {
      await writeFile(join(path, 'labels.csv'), bytes);
      await assert.rejects(openSetAt(path, opening), { code: 'malformed-labels' });
    }
  });

  test('may be a folder with the IDX files of the data set', async (t) => {
    const opening = await openingFor(t);
    const { folder } = opening;
    await writeFiles(join(folder, 'idx'), zippedFiles);
    const set = await openSetAt(join(folder, 'idx'), opening);
    t.after(() => set.close());
    assert.deepEqual([set.form, set.total], ['idx', 10]);
  });

  test('that is not there is said to be missing', async (t) => {
    const opening = await openingFor(t);
    await assert.rejects(openSetAt(join(opening.folder, 'nothing'), opening), { code: 'dataset-not-found' });
  });
});

describe('scratch files', () => {
  test('have no name on the disk while they are used, and give their room back', async (t) => {
    const { scratch, folder } = await openingFor(t);
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
    const { scratch } = await openingFor(t, { ...LIMITS, maximumUploadBytes: 1_000, maximumScratchBytes: 1_500 });
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
  const reading = (maximumEntries = 1_000): LabelsReading => ({
    limits: { ...LIMITS, maximumEntries },
    turns: new BulkTurns(new OnlineTraffic()),
    signal: new AbortController().signal,
  });
  const read = async (text: string | Buffer, maximumEntries?: number) => {
    const { classes } = await readLabelsCsv(Buffer.from(text), 'labels.csv', reading(maximumEntries));
    return [...classes];
  };
  const malformed = (message: RegExp) => ({ code: 'malformed-labels', message });

  test('may have a header, in which the columns stand in any order, or none', async () => {
    assert.deepEqual(await read('label,other,Filename\r\nbag,1,a.png\r\n'), [['a.png', 8]]);
    assert.deepEqual(await read('\ufeffa.png,0\n\n./b.png,"T-shirt/top"\n"c ""d"".png",9'), [
      ['a.png', 0],
      ['b.png', 0],
      ['c "d".png', 9],
    ]);
  });

  test('has its lines and its characters whole, wherever its steps end', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `${'ü€😀'.repeat(index % 7)}${index}.png`);
    for (const lineEnd of ['\n', '\r\n']) {
      const found = await read(names.map((name, index) => `${name},${index % 10}${lineEnd}`).join(''));
      assert.deepEqual(
        found,
        names.map((name, index) => [name, index % 10]),
      );
    }
  });

  test('is refused by line where it has no label, another class or an open quote', async () => {
    for (const [text, line] of [
      ['', 1],
      ['a.png,1\nb.png', 2],
      ['a.png,1\nb.png,10', 2],
      ['"a.png,1', 1],
    ] as const) {
      await assert.rejects(read(text), malformed(new RegExp(`line ${line}:`)));
    }
  });

  test('may name a file twice, but not with two classes: both lines are named', async () => {
    assert.deepEqual(await read('a.png,1\n./a.png,Trouser\n'), [['a.png', 1]]);
    const twice = 'file,label\na.png,1\nb.png,2\n./a.png,bag\n';
    await assert.rejects(read(twice), malformed(/line 4: "a.png" is "Bag", and "Trouser" in line 2/));
  });

  test('is refused where it is not UTF-8, has more bytes or lines than are taken, or a line without an end', async () => {
    await assert.rejects(read(Buffer.from([0x61, 0xff, 0x2c, 0x31])), malformed(/not UTF-8/));
    await assert.rejects(read('a,1\n'.repeat(50_000)), malformed(/200000 bytes; at most 128000/));
    await assert.rejects(read('\n'.repeat(128_001)), malformed(/128001 bytes/));
    await assert.rejects(read(`a,1${','.repeat(9_000)}\nb,2`), malformed(/line 1: it has more than 8192 characters/));
    await assert.rejects(read(`a,1\n${','.repeat(100_000)}`), malformed(/line 2: it has more than 8192 characters/));
    await assert.rejects(read('file,label\na,1\nb,1\n\n', 2), malformed(/line 4: at most 2 lines/));
  });
});
