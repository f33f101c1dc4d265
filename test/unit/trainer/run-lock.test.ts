import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { RunLock } from '@atelier/trainer';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('run lock', () => {
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

  const path = () => join(directory, 'lock');
  const ownerNow = async () => JSON.parse(await readFile(path(), 'utf8')) as { pid: number };
  const owner = {
    host: hostname(),
    pid: 1,
    pidNamespace: null,
    processStart: null,
    since: '2026-01-01T00:00:00.000Z',
    token: 'theirs',
  };
  const lockOf = (change: Partial<Record<keyof typeof owner, unknown>>) =>
    writeFile(path(), JSON.stringify({ ...owner, ...change }));
  const inUse = { code: 'run-in-use' as const };

  test('lets one in at a time and is gone after it was given back', async () => {
    const lock = await RunLock.acquire(directory);
    await assert.rejects(RunLock.acquire(directory), {
      ...inUse,
      message: new RegExp(`in use by process ${process.pid} on ${hostname()} since \\d`),
    });
    await lock.requireHeld(directory);
    await lock.release();
    assert.deepEqual(await readdir(directory), []);
    await (await RunLock.acquire(directory)).release();
  });

  test('lets one in of many that come at the same time', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => RunLock.acquire(directory)));
    const locks = results.filter((result) => result.status === 'fulfilled');
    assert.equal(locks.length, 1);
    await locks[0]?.value.release();
  });

  test('of a process that was killed counts for nothing', async () => {
    const script = `import { RunLock } from '@atelier/trainer';
      await RunLock.acquire(${JSON.stringify(directory)});
      process.send('locked');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    await assert.rejects(RunLock.acquire(directory), inUse);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await RunLock.acquire(directory);
    assert.equal((await ownerNow()).pid, process.pid);
    await lock.release();
  });

  test('of a process that has ended counts for nothing, though nobody has asked how it ended', async (t) => {
    // The shell becomes a program that never asks after the child that it has.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => parent.kill());
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const fields = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    const processStart = (await fields())[19];
    while ((await fields())[0] !== 'Z') await pause(20);
    await lockOf({ pid, processStart });
    await (await RunLock.acquire(directory)).release();
  });

  test('of many that find it abandoned lets one in', async () => {
    await lockOf({ pid: 2 ** 22 + 1 }); // above the highest pid that Linux gives
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => RunLock.acquire(directory)));
    const locks = results.filter((result) => result.status === 'fulfilled');
    const held = await Promise.allSettled(locks.map(({ value }) => value.requireHeld(directory)));
    assert.equal(held.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const { value } of locks) await value.release();
    assert.deepEqual(await readdir(directory), []);
  });

  test('of an earlier process with the same pid counts for nothing', async () => {
    await lockOf({ pid: process.pid });
    await (await RunLock.acquire(directory)).release();
    await lockOf({ pid: process.ppid, processStart: '1' });
    await (await RunLock.acquire(directory)).release();
  });

  test('of a living process counts however old it is', async () => {
    await lockOf({ pid: process.ppid });
    await utimes(path(), 0, 0);
    await assert.rejects(RunLock.acquire(directory), inUse);
  });

  test('of another machine counts until it has been silent for a minute', async () => {
    await lockOf({ host: 'elsewhere' });
    await assert.rejects(RunLock.acquire(directory), { ...inUse, message: /process 1 on elsewhere since 2026-01-01/ });
    const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000);
    await utimes(path(), secondsAgo(50), secondsAgo(50));
    await assert.rejects(RunLock.acquire(directory), inUse);
    await utimes(path(), secondsAgo(70), secondsAgo(70));
    await (await RunLock.acquire(directory)).release();
  });

  test('that nobody has written yet counts for a minute too', async () => {
    await writeFile(path(), '');
    await assert.rejects(RunLock.acquire(directory), { ...inUse, message: /another process/ });
    await utimes(path(), 0, 0);
    await (await RunLock.acquire(directory)).release();
  });

  test('gives a sign of life every quarter of a minute', async (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    const lock = await RunLock.acquire(directory);
    await utimes(path(), 0, 0);
    context.mock.timers.tick(14_000);
    await pause(50);
    assert.equal((await stat(path())).mtimeMs, 0);
    context.mock.timers.tick(1_000);
    for (let attempt = 0; attempt < 100 && (await stat(path())).mtimeMs === 0; attempt++) await pause(20);
    assert.ok(Date.now() - (await stat(path())).mtimeMs < 10_000);
    await lock.release();
  });

  test('is known to be lost when another took it over, and the new one is left alone', async () => {
    const lock = await RunLock.acquire(directory);
    await lockOf({ host: 'elsewhere' });
    await assert.rejects(lock.requireHeld(directory), { ...inUse, message: /elsewhere/ });
    await lock.release();
    assert.equal((await ownerNow()).pid, 1);
  });

  test('of another container counts until it has been silent for a minute, though the host has the same name', async () => {
    await lockOf({ pid: 2 ** 22 + 1, pidNamespace: 'pid:[1]' });
    await assert.rejects(RunLock.acquire(directory), inUse);
    await utimes(path(), 0, 0);
    await (await RunLock.acquire(directory)).release();
  });

  test('that is lost is left alone by a process that exits', async () => {
    const lock = await RunLock.acquire(directory);
    assert.ok(lock.isHeldNow());
    await lockOf({ host: 'elsewhere' });
    assert.ok(!lock.isHeldNow());
    lock.releaseNow();
    assert.equal((await ownerNow()).pid, 1);
  });

  test('is refused with a code where nothing can be written', async () => {
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(RunLock.acquire(join(directory, 'file')), {
      code: 'invalid-run',
      message: /file.lock cannot be written: ENOTDIR/,
    });
  });

  test('that cannot be written is not left behind', async () => {
    const script = `import { RunLock } from '@atelier/trainer';
      await RunLock.acquire(${JSON.stringify(directory)}).catch(({ code }) => process.stderr.write(code));`;
    const words = ['--import', 'tsx', '--input-type=module', '--eval', script];
    // No file may have a byte.
    const child = spawn('sh', ['-c', 'ulimit -f 0; exec "$0" "$@"', process.execPath, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    });
    assert.match(await text(child.stderr), /disk-full$/);
    assert.deepEqual(await readdir(directory), []);
  });
});
