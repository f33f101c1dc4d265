import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { CLASS_NAMES, type ErrorCode } from '@atelier/domain';
import { type SetLimits, unpack } from '@atelier/inference';
import { type ZipEntry, zipFile } from '../../../support/zip-file.ts';
import { contentsOf, partsOf, setOf } from './stored.ts';

const data = Buffer.from('a picture');
const picture = (name: string, other: Partial<ZipEntry> = {}): ZipEntry => ({ name, data, ...other });

/** What `contentsOf` says of an entry that is skipped. */
function skipped(name: string, code: ErrorCode): string {
  return `${name}: ${code}`;
}

/** Of a name in a report. */
function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name.replace('\0', '\ufffd');
}

async function contents(context: TestContext, entries: readonly ZipEntry[], limits?: Partial<SetLimits>) {
  return contentsOf(await setOf(context, { 'a.zip': zipFile(entries) }, limits));
}

describe('a ZIP archive of labelled pictures', () => {
  test('has the classes of its folders, by name, slug or index, in any case and below another folder', async (t) => {
    const folders = ['Ankle boot', 'ankle-boot', 'ankle_boot', 'ANKLE BOOT', '9', 'root/Ankle boot', 'a/b/9'];
    const found = await contents(
      t,
      folders.map((folder, index) => picture(`${folder}/${index}.png`)),
    );
    assert.deepEqual(
      found,
      folders.map((folder, index) => `${folder}/${index}.png: 9`),
    );
  });

  test('may name every class as the data set does, the first with the slash in it', async (t) => {
    const found = await contents(
      t,
      CLASS_NAMES.map((name) => picture(`${name}/x.png`)),
    );
    assert.deepEqual(
      found,
      CLASS_NAMES.map((name, label) => `${name}/x.png: ${label}`),
    );
  });

  test('gives each file as it is stored, to be unpacked to what was packed', async (t) => {
    const entries = [picture('1/deflated.png'), picture('2/stored.png', { method: 0 })];
    const set = await setOf(t, { 'a.zip': zipFile(entries) });
    assert.equal(set.total, 2);
    const [part] = await partsOf(set);
    assert.ok(part?.kind === 'files');
    assert.deepEqual(
      part.files.map((one) => ('file' in one ? unpack(one.file).toString() : one.code)),
      ['a picture', 'a picture'],
    );
  });

  test('has the classes that labels.csv says, from where that lies, before those of folders', async (t) => {
    const labels = { name: 'set/labels.csv', data: Buffer.from('file,label\nx.png,Bag\n"a,b.png",3\nsub/y.png,9\n') };
    const entries = ['set/x.png', 'set/a,b.png', 'set/sub/y.png', 'set/Shirt/z.png'].map((name) => picture(name));
    assert.deepEqual(await contents(t, [...entries, labels]), [
      'set/x.png: 8',
      'set/a,b.png: 3',
      'set/sub/y.png: 9',
      'set/Shirt/z.png: 6',
    ]);
  });

  test('lists what labels.csv names and the archive has not', async (t) => {
    const labels = { name: 'labels.csv', data: Buffer.from('gone.png,1\nx.png,2') };
    const set = await setOf(t, { 'a.zip': zipFile([labels, picture('x.png')]) });
    assert.equal(set.total, 2);
    assert.deepEqual(await contentsOf(set), ['x.png: 2', skipped('gone.png', 'missing-entry')]);
  });

  test('lists pictures whose folder names no class', async (t) => {
    assert.deepEqual(await contents(t, [picture('x.png'), picture('hats/x.png'), picture('1/x.png')]), [
      skipped('x.png', 'unlabelled-entry'),
      skipped('hats/x.png', 'unlabelled-entry'),
      '1/x.png: 1',
    ]);
  });

  test('comes in parts of which none is large, also where there is not one picture in it', async (t) => {
    const labels = {
      name: 'labels.csv',
      data: Buffer.from(Array.from({ length: 900 }, (_, index) => `${index},1\n`).join('')),
    };
    const set = await setOf(t, {
      'a.zip': zipFile([labels, ...Array.from({ length: 900 }, (_, index) => picture(`x/${index}`))]),
    });
    const parts = await partsOf(set);
    assert.equal(set.total, 1_800);
    assert.deepEqual([parts.length, Math.ceil(1_800 / 64)], [29, 29]);
  });

  test('passes over what systems leave in archives, and counts it', async (t) => {
    const junk = ['__MACOSX/1/._x.png', '1/.DS_Store', '1/Thumbs.db', '1/._x.png', '1/desktop.ini'];
    const set = await setOf(t, { 'a.zip': zipFile([...junk.map((name) => picture(name)), picture('1/x.png')]) });
    assert.deepEqual(await contentsOf(set), ['1/x.png: 1']);
    assert.equal(set.ignored, 5);
  });

  test('refuses by name whatever leads out of it or is no ordinary file, and goes on', async (t) => {
    const entries = [
      picture('../1/x.png'),
      picture('1/../../x.png'),
      picture('/1/x.png'),
      picture('C:/1/x.png'),
      picture('1\\x.png'),
      picture('1/x\0.png'),
      picture(`1/${'x'.repeat(1_100)}.png`),
      picture('1/link.png', { mode: 0o120777, data: Buffer.from('/etc/passwd') }),
      picture('1/pipe.png', { mode: 0o010644 }),
      picture('1/good.png'),
    ];
    const found = await contents(t, entries);
    assert.deepEqual(found, [
      ...entries.slice(0, 9).map(({ name }) => skipped(shown(String(name)), 'unsafe-entry')),
      '1/good.png: 1',
    ]);
  });

  test('skips encrypted entries, other methods and archives in it, and the second of one name', async (t) => {
    const entries = [
      picture('1/secret.png', { flags: 0x801 }),
      picture('1/lzma.png', { method: 14 }),
      picture('1/inner.zip'),
      picture('1/x.png'),
      picture('1/x.png'),
      picture('./1//x.png'),
    ];
    assert.deepEqual(await contents(t, entries), [
      skipped('1/secret.png', 'unreadable-entry'),
      skipped('1/lzma.png', 'unreadable-entry'),
      skipped('1/inner.zip', 'nested-archive'),
      '1/x.png: 1',
      skipped('1/x.png', 'duplicate-entry'),
      skipped('./1//x.png', 'duplicate-entry'),
    ]);
  });

  test('skips entries above the limits of bytes and ratio by their headers, without unpacking them', async (t) => {
    const zeros = Buffer.alloc(200_000);
    const entries = [
      picture('1/large.png', { bytes: 1_000_001 }),
      picture('1/bomb.png', { data: zeros }),
      picture('1/page.png', { data: zeros.subarray(0, 60_000) }),
    ];
    assert.deepEqual(await contents(t, entries), [
      skipped('1/large.png', 'entry-too-large'),
      skipped('1/bomb.png', 'entry-too-large'),
      '1/page.png: 1',
    ]);
  });

  test('skips entries that are not where the directory says, or of a stored size that contradicts itself', async (t) => {
    const entries = [
      picture('1/a.png', { offset: 7 }),
      picture('1/b.png', { method: 0, bytes: 5 }),
      picture('1/c.png'),
    ];
    assert.deepEqual(await contents(t, entries), [
      skipped('1/a.png', 'unreadable-entry'),
      skipped('1/b.png', 'unreadable-entry'),
      '1/c.png: 1',
    ]);
  });
});

describe('an archive as a whole is refused', () => {
  const refused = async (context: TestContext, bytes: Buffer, code: string, limits?: Partial<SetLimits>) =>
    assert.rejects(setOf(context, { 'a.zip': bytes }, limits), { name: 'DomainError', code });

  test('where it has more entries than are taken, however many it says there are', async (t) => {
    const entries = [picture('1/a.png'), picture('1/b.png')];
    await refused(t, zipFile(entries), 'archive-too-large', { maximumEntries: 1 });
    await assert.rejects(setOf(t, { 'a.zip': zipFile(entries, { count: 1_000_000 }) }), { code: 'archive-too-large' });
  });

  test('where the names of its entries have more bytes together than are taken', async (t) => {
    const entries = Array.from({ length: 70 }, (_, index) => picture(`1/${String(index).padStart(1_000)}.png`));
    assert.equal((await contents(t, entries)).length, 70);
    await refused(t, zipFile(entries), 'archive-too-large', { maximumEntries: 100 });
  });

  test('where its files have more bytes together than are taken', async (t) => {
    const entries = [1, 2, 3].map((number) => picture(`1/${number}.png`, { method: 0, data: Buffer.alloc(50_000) }));
    await refused(t, zipFile(entries), 'archive-too-large', { maximumUnpackedBytes: 149_999 });
  });

  test('where its directory has more entries than it counts, as 65,536 and more have without ZIP64', async (t) => {
    const entries = ['bag/1.png', 'bag/2.png', 'bag/3.png'].map((name) => ({ name, data: Buffer.from('x') }));
    await assert.rejects(setOf(t, { 'a.zip': zipFile(entries, { count: 2 }) }), {
      code: 'malformed-archive',
      message: /more entries than the 2 that it counts/,
    });
  });

  test('where its entries overlap, as those of a bomb do that shares one file among all', async (t) => {
    const kernel = Buffer.alloc(50_000, 'x');
    const entries = Array.from({ length: 30 }, (_, index) =>
      index === 0
        ? picture('1/0.png', { data: kernel, method: 0 })
        : picture(`1/${index}.png`, {
            stored: Buffer.alloc(0),
            storedBytes: 50_000,
            bytes: 50_000,
            method: 0,
            offset: 0,
          }),
    );
    await assert.rejects(setOf(t, { 'a.zip': zipFile(entries) }), { code: 'malformed-archive', message: /overlap/ });
  });

  test('where it is cut off, or its directory lies beyond its end', async (t) => {
    const whole = zipFile([picture('1/a.png')]);
    await refused(t, whole.subarray(0, whole.length - 10), 'malformed-archive');
    const astray = Buffer.from(whole);
    astray.writeUInt32LE(whole.length, whole.length - 6);
    await refused(t, astray, 'malformed-archive');
  });

  test('where its labels.csv cannot be read, and the message names the line', async (t) => {
    const labels = { name: 'labels.csv', data: Buffer.from('file,label\nx.png,hat\n') };
    await assert.rejects(setOf(t, { 'a.zip': zipFile([labels]) }), {
      code: 'malformed-labels',
      message: /line 2.*"hat"/,
    });
    await refused(t, zipFile([{ ...labels, crc: 1 }]), 'malformed-labels');
    const twice = Buffer.from('file,label\nx.png,1\nx.png,2\n');
    await refused(t, zipFile([{ ...labels, data: twice }]), 'malformed-labels');
    const large = { ...labels, method: 0, data: Buffer.alloc(128_001, '\n') };
    await refused(t, zipFile([large]), 'malformed-labels');
  });
});

describe('unpacking an entry', () => {
  const deflated = deflateRawSync(Buffer.alloc(10_000));
  const packed = { stored: deflated, method: 8, bytes: 10_000, crc32: null } as const;
  const unreadable = (message: RegExp) => ({ name: 'DomainError', code: 'unreadable-entry', message });

  test('stops where there are more bytes than its header says', () => {
    assert.throws(() => unpack({ ...packed, bytes: 100 }), unreadable(/more than the 100 bytes/));
    assert.throws(() => unpack({ ...packed, bytes: 0 }), unreadable(/more than the 0 bytes/));
  });

  test('refuses fewer bytes, another checksum, and bytes that are not deflate', () => {
    assert.equal(unpack(packed).length, 10_000);
    assert.throws(() => unpack({ ...packed, bytes: 10_001 }), unreadable(/10000 bytes, and its header says 10001/));
    assert.throws(() => unpack({ ...packed, crc32: 1 }), unreadable(/checksum/));
    assert.throws(() => unpack({ ...packed, stored: Buffer.from('nonsense') }), unreadable(/damaged/));
  });

  test('refuses an archive by its content, whatever its name', () => {
    const stored = zipFile([picture('1/x.png')]);
    const nested = { stored, method: 0, bytes: stored.length, crc32: null } as const;
    assert.throws(() => unpack(nested), { code: 'nested-archive' });
  });
});
