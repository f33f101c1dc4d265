import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { narrowed } from '../../../docker/build/bill-of-materials.ts';
import { installedPackages } from '../../../docker/build/installed-packages.ts';
import { isNeeded } from '../../../docker/build/needed-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the packages of an image', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const install = async (path: string, file: object) => {
    await mkdir(join(folder.path, path), { recursive: true });
    await writeFile(join(folder.path, path, 'package.json'), JSON.stringify(file));
  };
  const found = (names: string[], unneeded: string[] = []) =>
    installedPackages(folder.path, names, new Set(unneeded)).map((found) => found.folder.slice(folder.path.length + 1));

  beforeEach(async () => {
    folder = await temporaryFolder();
    await install('node_modules/native', {
      dependencies: { helper: '1', installer: '1' },
      optionalDependencies: { '@native/linux': '1', '@native/darwin': '1' },
      peerDependencies: { friend: '1' },
    });
    await install('node_modules/@native/linux', {});
    await install('node_modules/helper', {});
    await install('node_modules/native/node_modules/helper', { dependencies: { deep: '1' } });
    await install('node_modules/deep', { dependencies: { native: '1' } });
    await install('node_modules/installer', {});
    await install('node_modules/unrelated', {});
  });
  afterEach(() => folder.remove());

  test('are those asked for and what they depend on, where each of them finds it', () => {
    assert.deepEqual(found(['native'], ['installer']), [
      'node_modules/native',
      'node_modules/native/node_modules/helper',
      'node_modules/deep',
      'node_modules/@native/linux',
    ]);
  });

  test('are all there, but for optional ones', () => {
    assert.throws(() => found(['absent']), /absent, which .* depends on, is not installed/);
  });

  test('come without declarations, source maps and tests, and with their licences', () => {
    const files = [
      'package.json',
      'LICENSE',
      'lib/index.js',
      'lib/index.js.map',
      'lib/index.d.ts',
      'test/index.js',
      'README.md',
    ];
    assert.deepEqual(
      files.filter((file) => isNeeded('anything', file)),
      ['package.json', 'LICENSE', 'lib/index.js'],
    );
  });

  test('come without the libraries of other systems, and without those that nothing here uses', () => {
    const place = `bin/napi-v6/${process.platform}/${process.arch}`;
    assert.ok(isNeeded('onnxruntime-node', `${place}/libonnxruntime.so.1`));
    assert.ok(isNeeded('onnxruntime-node', `${place}/libonnxruntime_providers_cuda.so`));
    assert.ok(!isNeeded('onnxruntime-node', `${place}/libonnxruntime_providers_tensorrt.so`));
    assert.ok(!isNeeded('onnxruntime-node', 'bin/napi-v6/aix/ppc64/libonnxruntime.so.1'));
    assert.ok(!isNeeded('onnxruntime-node', 'script/install.js'));
  });

  test('are what its bill of materials lists, those that no lockfile knows included', () => {
    const whole = {
      metadata: { component: { 'bom-ref': 'app@1' } },
      components: [{ 'bom-ref': 'kept@1' }, { 'bom-ref': 'kept@2' }, { 'bom-ref': 'dropped@1' }],
      dependencies: [
        { ref: 'app@1', dependsOn: ['kept@1', 'dropped@1'] },
        { ref: 'dropped@1', dependsOn: [] },
      ],
    };
    const kept = [
      { name: 'kept', version: '1' },
      { name: '@scope/unlocked', version: '3', license: 'MIT' },
    ];
    const bill = narrowed(whole, kept);
    assert.deepEqual(
      bill.components.map((component) => component['bom-ref']),
      ['kept@1', '@scope/unlocked@3'],
    );
    assert.equal(bill.components[1]?.['purl'], 'pkg:npm/%40scope/unlocked@3');
    assert.deepEqual(bill.dependencies, [{ ref: 'app@1', dependsOn: ['kept@1'] }]);
  });
});
