import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { listen } from '@atelier/http';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { post, type Posted } from '../support/posted.ts';
import { isGone } from '../support/process-gone.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

describe('under load, a compute process', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let server: Awaited<ReturnType<typeof listen>>;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    service = await openInference(folder.path, { stuckMs: 300 });
    server = await listen(service.app, '127.0.0.1', 0, { graceMs: 0 });
  });
  after(async () => {
    await server.close();
    await service.close();
    await folder.remove();
  });

  const statusOf = async (path: string) => (await fetch(`${server.url}${path}`)).status;

  /** What 12 clients are answered, who ask one request after the other while `incident` happens and until it is over. */
  async function answersDuring(incident: () => Promise<void>): Promise<Posted[]> {
    const bodies = [{ pixels: [[...randomImage(1)], [...randomImage(2)]] }, await pngOf(garmentImage())];
    const answers: Posted[] = [];
    let isOver = false;
    const clients = Array.from({ length: 12 }, async (_, client) => {
      while (!isOver) {
        const answer = await post(server.url, bodies[client % 2] ?? {});
        answers.push(answer);
        if (answer.status !== 200) await pause(20); // who honours Retry-After waits longer
      }
    });
    await incident();
    isOver = true;
    await Promise.all(clients);
    return answers;
  }

  /** While `signal` strikes the process: alive throughout, unready until another runs, and ready again. */
  async function strike(signal: NodeJS.Signals): Promise<void> {
    await pause(100);
    const before = service.engine.pid() ?? 0;
    process.kill(before, signal);
    let wasUnready = false;
    await until('another runs', async () => {
      assert.equal(await statusOf('/healthz'), 200);
      wasUnready ||= (await statusOf('/readyz')) === 503;
      return service.engine.pid() !== before && (await statusOf('/readyz')) === 200;
    });
    assert.ok(wasUnready);
    await until('it answers', async () => (await post(server.url, { pixels: [[...randomImage(1)]] })).status === 200);
    await until('the struck one is gone', () => isGone(before));
  }

  test(
    'that hangs is found as soon where only pictures are asked for, and counts as stuck',
    { timeout: 20_000 },
    async () => {
      const picture = await pngOf(garmentImage());
      assert.equal((await post(server.url, picture)).status, 200);
      const before = service.engine.pid() ?? 0;
      process.kill(before, 'SIGSTOP');
      assert.equal((await post(server.url, picture)).code, 'engine-lost');
      await until('another answers', async () => (await post(server.url, picture)).status === 200);
      assert.notEqual(service.engine.pid(), before);
      assert.match(await service.metrics.registry.metrics(), /^engine_restarts_total\{reason="stuck"\} 1$/m);
    },
  );

  for (const [title, signal] of [
    ['that is killed', 'SIGKILL'],
    ['that crashes', 'SIGSEGV'],
    ['that hangs', 'SIGSTOP'],
  ] as const) {
    test(`${title} loses only what it had, and everybody is answered`, async () => {
      const answers = await answersDuring(() => strike(signal));
      const refused = answers.filter(({ status }) => status !== 200);
      for (const { status, code, retryAfter } of refused) {
        assert.equal(status, 503, code);
        assert.ok(code === 'engine-lost' || code === 'not-ready', code);
        assert.match(retryAfter ?? '', /^[1-9]$/);
      }
      assert.ok(refused.length > 0 && refused.length < answers.length, `${refused.length} of ${answers.length}`);
      assert.deepEqual(service.engine.waiting(), { pictures: 0, rows: 0, ratio: 0 });
    });
  }
});
