import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { childrenOf } from '../support/children.ts';
import { type InferenceProcess, startInferenceProcess } from '../support/inference-process.ts';
import { pngOf, garmentImage } from '../support/pictures.ts';
import { isGone, processGone } from '../support/process-gone.ts';
import { publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Its compute process, the first that it starts and keeps. */
async function computeOf({ child }: InferenceProcess): Promise<number> {
  const [compute] = await childrenOf(child.pid);
  assert.ok(compute !== undefined);
  return compute;
}

describe('the inference process', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  test(
    'starts, answers a picture, and stops with 0 at Ctrl-C without a grace period',
    { timeout: 20_000 },
    async (t) => {
      await publishTiny(folder.path);
      const service = startInferenceProcess(t, { MODELS_DIR: folder.path, INFERENCE_GRACE_MS: '600000' });
      const url = await service.serving();
      const form = new FormData();
      form.append('image', new Blob([await pngOf(garmentImage())]), 'shoe.png');
      const answer = await fetch(`${url}/predict?top=1`, { method: 'POST', body: form });
      assert.equal(answer.status, 200);
      const compute = await computeOf(service);
      for (let count = 0; count < 2; count++) service.child.kill('SIGINT');
      assert.equal(await service.ended, 0, service.printed());
      assert.match(service.printed(), /"msg":"Stopped"/);
      assert.ok(await isGone(compute));
    },
  );

  test('serves on after SIGTERM, unready, and ends at once at the second', { timeout: 20_000 }, async (t) => {
    const service = startInferenceProcess(t, { MODELS_DIR: folder.path, INFERENCE_GRACE_MS: '600000' });
    const url = await service.serving();
    const compute = await computeOf(service);
    service.child.kill('SIGTERM');
    await service.prints(/"msg":"Stopping"/);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const body = JSON.stringify({ pixels: [[...garmentImage()]] });
    const headers = { 'Content-Type': 'application/json' };
    assert.equal((await fetch(`${url}/predict`, { method: 'POST', body, headers })).status, 200);
    service.child.kill('SIGINT'); // changes nothing
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 143, service.printed());
    await processGone(compute);
  });

  test('ends with 0 after its grace period, while its engine is being restarted', { timeout: 20_000 }, async (t) => {
    const service = startInferenceProcess(t, { MODELS_DIR: folder.path, INFERENCE_GRACE_MS: '100' });
    await service.serving();
    const compute = await computeOf(service);
    process.kill(compute, 'SIGKILL');
    await service.prints(/The compute process was lost/);
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.printed());
    assert.doesNotMatch(service.printed(), /"level":(50|60).*does not start/);
  });

  test('stops with 0 while it is still loading', { timeout: 20_000 }, async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const service = startInferenceProcess(t, { MODELS_DIR: folder.path, INFERENCE_GRACE_MS: '600000' });
      await service.prints(/listens on/);
      const compute = await computeOf(service);
      service.child.kill(signal);
      if (signal === 'SIGTERM' && service.printed().includes('Serving'))
        service.child.kill('SIGTERM'); // it was quicker
      else assert.equal(await service.ended, 0, service.printed());
      await service.ended;
      await processGone(compute);
    }
  });

  test('leaves no compute process behind when it is killed', { timeout: 20_000 }, async (t) => {
    const service = startInferenceProcess(t, { MODELS_DIR: folder.path });
    await service.serving();
    const compute = await computeOf(service);
    service.child.kill('SIGKILL');
    assert.equal(await service.ended, 'SIGKILL');
    await processGone(compute);
  });

  test('ends with 1 and one clear line when its port is taken', { timeout: 20_000 }, async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const service = startInferenceProcess(t, { INFERENCE_PORT: String(port), MODELS_DIR: folder.path });
    assert.equal(await service.ended, 1);
    const lines = service.printed().trim().split('\n');
    assert.equal(lines.length, 1, service.printed());
    const { code, msg } = JSON.parse(lines[0] ?? '') as { code: string; msg: string };
    assert.equal(code, 'address-unavailable');
    assert.equal(
      msg,
      `Cannot listen on 127.0.0.1:${port}: another program listens there; stop it or choose another port.`,
    );
  });

  test('ends with 1 and every fault of its configuration', { timeout: 20_000 }, async (t) => {
    const service = startInferenceProcess(t, {
      INFERENCE_PORT: '80a',
      INFERENCE_MODEL: '../secrets',
      LOG_LEVEL: 'loud',
    });
    assert.equal(await service.ended, 1);
    for (const variable of ['INFERENCE_PORT=80a', 'INFERENCE_MODEL=../secrets', 'LOG_LEVEL=loud']) {
      assert.ok(service.printed().includes(variable), variable);
    }
  });
});
