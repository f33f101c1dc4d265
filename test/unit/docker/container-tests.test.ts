import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tellingWords } from '../../containers/engine/npm-settings.ts';
import { filesOf, filesWith, isWritableBy } from '../../containers/image-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('what npm run test:containers looks for in an image', () => {
  test('are keys, and registries other than that of npm', () => {
    const settings = [
      'registry=https://registry.npmjs.org/',
      '@ours:registry=https://packages.example:8443/npm/',
      '//packages.example:8443/npm/:_authToken=abcdef',
      '//packages.example:8443/npm/:_password = c2VjcmV0',
      'fund=false',
    ];
    assert.deepEqual(tellingWords(settings.join('\n')), ['packages.example:8443', 'abcdef', 'c2VjcmV0']);
  });

  test('are files with such words, and files that the user of a container may write to', async () => {
    const folder = await temporaryFolder();
    const path = (name: string) => join(folder.path, name);
    await mkdir(path('proc'));
    await writeFile(path('proc/1'), 'abcdef');
    await writeFile(path('told'), Buffer.from('\0\xffabcdef', 'latin1'));
    await writeFile(path('open'), 'nothing');
    await chmod(path('open'), 0o666);
    await writeFile(path('closed'), 'nothing');
    await chmod(path('closed'), 0o644);
    await symlink('open', path('link'));
    const files = filesOf(folder.path);
    assert.deepEqual(files.map((file) => file.path).sort(), ['/closed', '/link', '/open', '/told']);
    assert.deepEqual(filesWith(['abcdef'], folder.path, files), ['/told']);
    const writable = (id: number) => files.filter((file) => isWritableBy(id, file)).map((file) => file.path);
    const stranger = (process.getuid?.() ?? 0) + 10_001;
    assert.deepEqual(writable(stranger), ['/open']);
    assert.deepEqual(writable(process.getuid?.() ?? 0).sort(), ['/closed', '/open', '/told']);
    await folder.remove();
  });
});
