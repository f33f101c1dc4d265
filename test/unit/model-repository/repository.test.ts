import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { digestOf, listVersions, publishVersion, readModel, resolveVersion } from '@atelier/model-repository';
import { damageModel, publishTiny, versionContent } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  root = folder.path;
});
afterEach(() => folder.remove());

const names = (versions: { name: string; version: number }[]) =>
  versions.map(({ name, version }) => `${name}/${version}`);

describe('a model repository', () => {
  test('is empty when its folder is missing or empty', async () => {
    assert.deepEqual(await listVersions(root), { versions: [], skipped: [] });
    assert.deepEqual(await listVersions(join(root, 'missing')), { versions: [], skipped: [] });
  });

  test('names an unreadable folder, a root that is no folder and a manifest that is a pipe, and lists the rest', async () => {
    await publishTiny(root);
    await mkdir(join(root, 'lost+found'));
    await symlink('loop', join(root, 'loop')); // cannot be read by anyone, not even by root
    await mkdir(join(root, 'fashion-mlp', '2'));
    execFileSync('mkfifo', [join(root, 'fashion-mlp', '2', 'manifest.json')]);
    const { versions, skipped } = await listVersions(root);
    assert.deepEqual(names(versions), ['fashion-mlp/1']);
    assert.deepEqual(skipped.map(({ path }) => path.slice(root.length + 1)).sort(), ['fashion-mlp/2', 'loop']);

    const file = join(root, 'a-file');
    await writeFile(file, '');
    assert.deepEqual(await listVersions(file), {
      versions: [],
      skipped: [{ path: file, reason: 'not a folder; expected <name>/<version>/' }],
    });
  });

  test('follows a link to a model folder and a link to a version', async () => {
    const elsewhere = join(root, 'elsewhere');
    const { directory } = await publishTiny(elsewhere);
    const linked = join(root, 'linked');
    await mkdir(linked);
    await symlink(join(elsewhere, 'fashion-mlp'), join(linked, 'fashion-mlp'));
    assert.deepEqual(names((await listVersions(linked)).versions), ['fashion-mlp/1']);
    await mkdir(join(root, 'third', 'fashion-mlp'), { recursive: true });
    await symlink(directory, join(root, 'third', 'fashion-mlp', '1'));
    assert.deepEqual(names((await listVersions(join(root, 'third'))).versions), ['fashion-mlp/1']);
  });

  test('lists versions by name and then by number, not by spelling', async () => {
    const content = versionContent();
    for (let count = 0; count < 11; count++) await publishVersion(root, 'shoes', content);
    await publishVersion(root, 'bags', content);
    const { versions, skipped } = await listVersions(root);
    assert.deepEqual(names(versions), ['bags/1', ...Array.from({ length: 11 }, (_, index) => `shoes/${index + 1}`)]);
    assert.deepEqual(skipped, []);
  });

  test('names what is no version, with the reason, and lists the rest', async () => {
    await publishTiny(root);
    const home = join(root, 'fashion-mlp');
    await writeFile(join(root, 'notes.txt'), '');
    await mkdir(join(home, 'draft'));
    await mkdir(join(home, '02'));
    await mkdir(join(home, '3'));
    await mkdir(join(home, '4'));
    await writeFile(join(home, '4', 'manifest.json'), '{');
    await mkdir(join(home, '5'));
    await writeFile(join(home, '5', 'manifest.json'), '{"name": "fashion-mlp"}');
    await cp(join(home, '1'), join(home, '6'), { recursive: true });
    await mkdir(join(root, '.git'));
    await mkdir(join(home, '.staging-abc'));
    const { versions, skipped } = await listVersions(root);
    assert.deepEqual(names(versions), ['fashion-mlp/1']);
    const reasons = Object.fromEntries(skipped.map(({ path, reason }) => [path.slice(root.length + 1), reason]));
    const expected = {
      'notes.txt': /not a folder/,
      'fashion-mlp/draft': /named by a version number/,
      'fashion-mlp/02': /named by a version number/,
      'fashion-mlp/3': /ENOENT/,
      'fashion-mlp/4': /manifest\.json is not JSON/,
      'fashion-mlp/5': /no valid manifest: .*version/,
      'fashion-mlp/6': /is of fashion-mlp\/1; its folder is fashion-mlp\/6/,
    };
    assert.deepEqual(Object.keys(reasons).sort(), Object.keys(expected).sort());
    for (const [path, pattern] of Object.entries(expected)) assert.match(reasons[path] ?? '', pattern, path);
  });

  test('resolves a number, or the highest that can be read', async () => {
    await publishTiny(root);
    await publishTiny(root);
    const third = await publishTiny(root);
    assert.equal((await resolveVersion(root, 'fashion-mlp', 'latest')).version, 3);
    assert.equal((await resolveVersion(root, 'fashion-mlp', 2)).version, 2);
    await writeFile(join(third.directory, 'manifest.json'), 'broken');
    assert.equal((await resolveVersion(root, 'fashion-mlp', 'latest')).version, 2);
  });

  test('says what there is and what it skipped when it has not what is asked for', async () => {
    await publishTiny(root);
    await mkdir(join(root, 'fashion-mlp', 'draft'));
    for (const [name, version] of [
      ['fashion-mlp', 2],
      ['shoes', 'latest'],
    ] as const) {
      await assert.rejects(resolveVersion(root, name, version), {
        code: 'model-not-found',
        message: /there is: fashion-mlp\/1; skipped .*draft/,
      });
    }
  });

  test('gives the bytes of a model only when they have the manifest’s digest', async () => {
    const version = await publishTiny(root);
    assert.equal(digestOf(await readModel(version)), version.manifest.digest);
    await damageModel(version);
    await assert.rejects(readModel(version), { code: 'digest-mismatch', message: /has digest .* manifest says/ });
    await rm(join(version.directory, 'model.onnx'));
    await assert.rejects(readModel(version), { code: 'digest-mismatch', message: /cannot be read/ });
  });
});

describe('publishing', () => {
  test('writes the model, the manifest with its digest and size, and further files', async () => {
    const content = { ...versionContent(), files: { 'tfjs/model.json': '{}' } };
    const { version, directory, manifest } = await publishVersion(root, 'fashion-mlp', content);
    assert.equal(version, 1);
    assert.equal(manifest.digest, digestOf(content.model));
    assert.equal(manifest.sizeBytes, content.model.length);
    assert.deepEqual(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')), manifest);
    assert.equal(await readFile(join(directory, 'tfjs/model.json'), 'utf8'), '{}');
    assert.deepEqual((await listVersions(root)).versions[0]?.manifest, manifest);
  });

  test('takes the number after the highest folder, a broken or foreign one included', async () => {
    await publishTiny(root);
    await mkdir(join(root, 'fashion-mlp', '7'));
    assert.equal((await publishTiny(root)).version, 8);
  });

  test('gives publishers at the same time a number each, and loses none', async () => {
    const published = await Promise.all(Array.from({ length: 6 }, (_, seed) => publishTiny(root, { seed })));
    assert.deepEqual(published.map(({ version }) => version).sort(), [1, 2, 3, 4, 5, 6]);
    const { versions, skipped } = await listVersions(root);
    assert.deepEqual(skipped, []);
    for (const version of versions) assert.equal(digestOf(await readModel(version)), version.manifest.digest);
    assert.equal(new Set(versions.map(({ manifest }) => manifest.digest)).size, 6);
    assert.deepEqual((await readdir(join(root, 'fashion-mlp'))).sort(), ['1', '2', '3', '4', '5', '6']);
  });

  test('never shows a reader half a version', async () => {
    let reading = true;
    const seen = new Set<number>();
    const reader = (async () => {
      while (reading) {
        const { versions, skipped } = await listVersions(root);
        assert.deepEqual(skipped, []);
        for (const version of versions) await readModel(version);
        seen.add(versions.length);
      }
    })();
    for (let count = 0; count < 10; count++) await publishTiny(root, { seed: count });
    reading = false;
    await reader;
    assert.ok(seen.size > 2, 'it looked while versions came');
  });

  test('leaves nothing behind when it fails', async () => {
    const { model, manifest } = versionContent();
    await publishTiny(root);
    const broken = { ...manifest, temperature: -1 };
    await assert.rejects(publishVersion(root, 'fashion-mlp', { model, manifest: broken }), {
      code: 'invalid-manifest',
      message: /publish as fashion-mlp\/2.*temperature/,
    });
    const files = { 'manifest.json/impossible': '' };
    await assert.rejects(publishVersion(root, 'fashion-mlp', { model, manifest, files }));
    assert.deepEqual(await readdir(join(root, 'fashion-mlp')), ['1']);
  });

  test('refuses a name that could be a path', async () => {
    for (const name of ['../elsewhere', 'a/b', '', '.', 'Upper', 'a'.repeat(65)]) {
      await assert.rejects(publishVersion(root, name, versionContent()), name);
    }
    assert.deepEqual(await readdir(root), []);
  });

  test('finds a version again after its repository has moved', async () => {
    await publishTiny(join(root, 'old'));
    await rename(join(root, 'old'), join(root, 'new'));
    assert.deepEqual(names((await listVersions(join(root, 'new'))).versions), ['fashion-mlp/1']);
  });
});
