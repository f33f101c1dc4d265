import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type InferenceProcess, startInferenceProcess } from '../support/inference-process.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const CLIENTS = 4;
const body = JSON.stringify({ pixels: [[...randomImage(1)]] });

/** One of the services, and what whoever sends requests there knows of it. */
interface Instance {
  process: InferenceProcess;
  url: string;
  isReady: boolean;
}

/** What a balancer is: it asks each instance for its readiness all the time, and takes those that are ready in turn. */
class RoundRobin {
  readonly instances = new Set<Instance>();
  readonly #asking = setInterval(() => this.#ask(), 50);
  #turn = 0;

  next(): Instance {
    const ready = [...this.instances].filter(({ isReady }) => isReady);
    const instance = ready[this.#turn++ % ready.length];
    if (instance === undefined) throw new Error('nobody is ready');
    return instance;
  }

  close(): void {
    clearInterval(this.#asking);
  }

  #ask(): void {
    for (const instance of this.instances) {
      fetch(`${instance.url}/readyz`).then(
        ({ status }) => (instance.isReady = status === 200),
        () => (instance.isReady = false),
      );
    }
  }
}

test(
  'two instances are restarted one after the other under constant load, and no request is lost',
  { timeout: 60_000 },
  async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    await publishTiny(folder.path);
    const balancer = new RoundRobin();
    t.after(() => balancer.close());
    const start = async () => {
      const process = startInferenceProcess(t, { MODELS_DIR: folder.path, INFERENCE_GRACE_MS: '1000' });
      const instance = { process, url: await process.serving(), isReady: false };
      balancer.instances.add(instance);
      await until('it takes requests', () => instance.isReady);
      return instance;
    };
    const old = await Promise.all([start(), start()]);

    const failures: unknown[] = [];
    const answered = new Map<string, number>();
    let running = true;
    const agent = new Agent({ keepAlive: true }); // whose connections end where an answer says so
    async function ask(): Promise<void> {
      for (let attempt = 0; attempt < 5; attempt++) {
        const { url } = balancer.next();
        const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
        const sent = request(`${url}/predict`, { agent, method: 'POST', headers }).end(body);
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        const answer = await text(response);
        if (response.statusCode === 200) {
          answered.set(url, (answered.get(url) ?? 0) + 1);
          return;
        }
        const retryAfter = Number(response.headers['retry-after']);
        if (response.statusCode !== 503 || Number.isNaN(retryAfter)) throw new Error(answer);
        await pause(retryAfter * 1000);
      }
      throw new Error('refused five times');
    }
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (running) await ask().catch((failure: unknown) => failures.push(failure));
    });

    const allAnswer = (instances: Instance[]) =>
      until('all answer', () => instances.every(({ url }) => (answered.get(url) ?? 0) > 10));
    await allAnswer(old);
    for (const instance of old) {
      instance.process.child.kill('SIGTERM');
      assert.equal(await instance.process.ended, 0, instance.process.printed());
      balancer.instances.delete(instance);
      await start();
    }
    const fresh = [...balancer.instances];
    await allAnswer(fresh);
    running = false;
    await Promise.all(clients);
    agent.destroy();
    assert.deepEqual(failures, []);
    for (const { process } of fresh) process.child.kill('SIGINT');
    for (const { process } of fresh) assert.equal(await process.ended, 0, process.printed());
  },
);
