import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { answers, folderCheck, type FolderNeeds, portCheck } from '@atelier/doctor';
import { whileReadOnly } from '../../support/read-only-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => (folder = await temporaryFolder()));
after(() => folder.remove());

const examine = (path: string, more: Partial<FolderNeeds> = {}) =>
  folderCheck({
    ...{ group: 'trainer', name: 'runs-folder', path, variable: 'RUNS_DIR', written: 'no run can be kept' },
    enoughBytes: 1024,
    ...more,
  }).examine();

describe('a folder', () => {
  test('that can be written is well, and nothing is left in it; one that can be made is too, and is not made', async () => {
    assert.equal((await examine(folder.path)).status, 'ok');
    const missing = await examine(join(folder.path, 'a', 'b'));
    assert.equal(missing.status, 'ok');
    assert.match(missing.summary, /\(to be made\)/);
    assert.deepEqual(await readdir(folder.path), []);
  });

  test('that cannot be written is a fault that says what fails and which variable names another', async () => {
    await mkdir(join(folder.path, 'locked'));
    const path = join(folder.path, 'locked');
    await whileReadOnly(folder.path, 'locked', async () => {
      const { status, summary, remedy } = await examine(path);
      assert.equal(status, 'fault');
      assert.equal(summary, `${path} cannot be written (no permission): no run can be kept`);
      assert.match(remedy ?? '', /name another in RUNS_DIR; this process runs as user \d+\.$/);
      assert.equal((await examine(path, { isOptional: true })).status, 'note');
      assert.equal((await examine(join(path, 'below'))).status, 'fault');
      const onlyRead = await examine(path, { written: null });
      assert.equal(onlyRead.status, 'note');
      assert.match(onlyRead.summary, /read only/);
    });
  });

  test('that is a file, or must be there and is not, is a fault', async () => {
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    assert.match((await examine(file)).summary, /it is a file/);
    assert.match((await examine(join(file, 'below'))).summary, /a part of its path is a file/);
    const missing = await examine(join(folder.path, 'gone'), { written: null });
    assert.deepEqual([missing.status, missing.remedy], ['fault', 'Name one in RUNS_DIR.']);
  });

  test('whose disk has less than enough is a note, and with less than a tenth of that a fault', async () => {
    const { facts } = await examine(folder.path);
    const free = Number(facts?.['freeBytes']);
    assert.ok(free > 0);
    assert.equal((await examine(folder.path, { enoughBytes: free * 2 })).status, 'note');
    const full = await examine(folder.path, { enoughBytes: free * 100 });
    assert.equal(full.status, 'fault');
    assert.match(full.remedy ?? '', /Free some, or name a folder on another disk in RUNS_DIR\./);
  });
});

describe('a port', () => {
  const listen = async (t: TestContext, listener: RequestListener): Promise<number> => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const check = (port: number, host = '127.0.0.1') =>
    portCheck({
      ...{ group: 'inference', name: 'inference-port', host, port },
      ...{ hostVariable: 'INFERENCE_HOST', portVariable: 'INFERENCE_PORT' },
      isOurs: (url) => answers(`${url}/startupz`, [200, 503]),
    }).examine();

  test('that is free is well, and can be taken afterwards', async (t) => {
    const port = await listen(t, () => undefined);
    assert.equal((await check(0)).status, 'ok');
    assert.equal((await check(port)).status, 'fault');
  });

  test('that another program has is a fault that names the variable', async (t) => {
    const port = await listen(t, (_request, response) => response.writeHead(404).end());
    const { status, summary, remedy } = await check(port);
    assert.deepEqual([status, summary], ['fault', `127.0.0.1:${port} is taken by another program`]);
    assert.match(remedy ?? '', /another port by INFERENCE_PORT/);
  });

  test('at which the service answers itself is well', async (t) => {
    const port = await listen(t, (request, response) =>
      response.writeHead(request.url === '/startupz' ? 200 : 404).end(),
    );
    const { status, facts } = await check(port);
    assert.deepEqual([status, facts?.['taken'], facts?.['ours']], ['ok', true, true]);
  });

  test('of an address that this machine has not is a fault that names the variable', async () => {
    const { status, remedy } = await check(0, '192.0.2.1');
    assert.equal(status, 'fault');
    assert.match(remedy ?? '', /INFERENCE_HOST/);
  });
});
