import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CLASS_COUNT, DomainError } from '@atelier/domain';
import { Admission, PRIORITIES, readConfig, Scheduler, startConfiguredEngine } from '@atelier/inference';
import { publishVersion } from '@atelier/model-repository';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { AnsweringEngines, markedImages, ROW_WIDTH, runnableOf } from '../../support/answering-engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { randomImage, tinyClassifier, versionContent } from '../../support/published-version.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Chances that are the same in each run. */
function chances(seed: number) {
  const generator = xoroshiro128plus(seed);
  const from = (low: number, high: number) => uniformInt(generator, low, high);
  return {
    from,
    once: (in_: number) => from(1, in_) === 1,
    rows: () => (from(1, 10) < 9 ? from(1, 4) : from(1, 6) < 6 ? from(5, 64) : from(65, 200)),
    of: <T>(list: readonly T[]) => list[from(0, list.length - 1)] as T,
  };
}

describe('100,000 requests at once, of three models and both priorities, given up and failing at random', () => {
  const REQUESTS = 100_000;
  /** Rows. */
  const QUEUE = 3000;
  /** What became of each: its own rows, or the code of its refusal. */
  const outcomes: Record<string, number> = {};
  const faults: string[] = [];

  test('get each exactly its own rows or its own refusal, and leave nothing behind', async () => {
    const { from, once, rows: drawRows, of } = chances(20260101);
    const clock = new FakeClock();
    const engines = new AnsweringEngines();
    const { execute, observer } = engines;
    const scheduler = new Scheduler({ engines: 3, maximumDelayMs: 2, execute, observer, clock });
    const admission = new Admission({ maximumQueue: QUEUE, maximumWaitMs: 1e9, alwaysTaken: 1 }, clock);
    /** Those that can still be given up, with what gives them up. */
    const open = new Map<number, (reason: Error) => void>();
    /** Of requests of which a part was in a batch that failed. */
    const failed = new Set<number>();
    let deaths = 0;
    let settled = 0;

    function send(id: number): void {
      const [rows, model] = [drawRows(), from(1, 3)];
      const controller = new AbortController();
      const deadline = once(8) ? clock.now() + from(0, 6) : undefined;
      const bornAfter = deaths;
      const hasRoom = admission.pending === 0 || admission.pending + rows <= QUEUE;
      let given: Error | undefined;
      const settle = (outcome: string, fault: string | false) => {
        settled++;
        open.delete(id);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        if (fault !== false) faults.push(`${id}, ${rows} rows: ${fault}`);
      };
      const take = (numbers: Float32Array) => {
        settle(
          'answered',
          !isMarked(numbers, { id, rows, model }) ? 'not its own rows' : !hasRoom && 'there was no room',
        );
      };
      const refuse = (error: unknown) => {
        const { code } = error as DomainError;
        if (error === given) settle('given up', false);
        else if (code === 'overloaded') settle(code, hasRoom && 'there was room');
        else if (code === 'deadline-exceeded') settle(code, !(clock.now() >= (deadline ?? Infinity)) && 'too early');
        else if (code === 'engine-fault') settle(code, !failed.has(id) && 'no batch of it failed');
        else if (code === 'engine-lost') settle(code, deaths === bornAfter && 'nothing died in its time');
        else settle('stranger', String(error));
      };
      open.set(id, (reason) => {
        open.delete(id);
        given = reason;
        controller.abort(reason);
      });
      const options = {
        signal: controller.signal,
        priority: of(PRIORITIES),
        ...(deadline === undefined ? {} : { deadline }),
      };
      const work = () => scheduler.submit(runnableOf(model), markedImages(id, rows), options);
      admission.enter(rows, work).then(take, refuse);
    }

    function die(): void {
      deaths++;
      const lost = new DomainError('engine-lost', 'It died.');
      for (const batch of [...engines.given]) batch.fail(lost);
      scheduler.failWaiting(lost);
    }

    function engineStep(): void {
      if (engines.given.length === 0) return;
      const batch = of(engines.given); // whichever: late ones, and out of order
      if (!once(40)) {
        batch.answer();
        return;
      }
      for (const id of batch.ids) failed.add(id);
      batch.fail(new DomainError('engine-fault', 'broken'));
    }

    let sent = 0;
    while (settled < REQUESTS) {
      for (let count = from(0, 40); count > 0 && sent < REQUESTS; count--) send(++sent);
      for (let count = from(0, 3); count > 0 && open.size > 0; count--) {
        const id = sent - from(0, 60);
        open.get(id)?.(new Error(`${id} left`));
      }
      if (once(10)) scheduler.setLoading(from(0, 2), once(2));
      for (let count = from(0, 8); count > 0; count--) engineStep();
      if (once(300)) die();
      if (once(3)) await clock.advance(from(0, 3));
      else await clock.turn();
      if (sent === REQUESTS && engines.given.length === 0 && scheduler.waitingRows === 0) {
        for (const engine of [0, 1, 2]) scheduler.setLoading(engine, false);
        await clock.advance(10);
        if (engines.given.length === 0) break; // whatever is not settled now hangs
      }
    }
    assert.deepEqual(faults.slice(0, 10), []);
    assert.equal(settled, REQUESTS, 'each of them, once');
    assert.deepEqual(
      [admission.pending, scheduler.waitingRows, open.size, engines.given.length, clock.alarms],
      [0, 0, 0, 0, 0],
    );
    const rejectedInTime = engines.cancellations.length;
    const gaveUp = (outcomes['given up'] ?? 0) + (outcomes['deadline-exceeded'] ?? 0);
    assert.ok(rejectedInTime > 0 && rejectedInTime <= gaveUp, 'a cancellation is counted once');
  });

  test('were of every kind', () => {
    const kinds = ['answered', 'given up', 'overloaded', 'deadline-exceeded', 'engine-fault', 'engine-lost'];
    assert.deepEqual(Object.keys(outcomes).sort(), kinds.sort());
    for (const kind of kinds) assert.ok((outcomes[kind] ?? 0) > 500, `${kind}: ${outcomes[kind]}`);
  });
});

function isMarked(values: Float32Array, { id, rows, model }: { id: number; rows: number; model: number }): boolean {
  if (values.length !== rows * ROW_WIDTH) return false;
  for (let place = 0; place < values.length; place += ROW_WIDTH / 2) {
    const row = Math.floor(place / ROW_WIDTH);
    if (values[place] !== id || values[place + 1] !== row || values[place + 2] !== model) return false;
  }
  return true;
}

describe('2,000 requests at once to the real engine', () => {
  const REQUESTS = 2_000;
  /** What a float32 sum of 784 terms may be off. */
  const TOLERANCE = 1e-5;

  test('get each their own rows, of two models, whoever else is given up', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    const config = readConfig({
      INFERENCE_WORKERS: '2',
      INFERENCE_MAX_QUEUE: '100000',
      INFERENCE_MAX_WAIT_MS: '600000',
    });
    const engine = await startConfiguredEngine(config, recordedLog().log);
    t.after(() => engine.close());
    const images = Array.from({ length: 50 }, (_, seed) => randomImage(seed));
    const models = await Promise.all(
      [1, 2].map(async (seed) => {
        const version = await publishVersion(folder.path, `model-${seed}`, versionContent({ seed }));
        const { probabilities } = tinyClassifier({ seed });
        return { predictor: await engine.load(version), expected: images.map(probabilities) };
      }),
    );
    const { from, once, of, rows: drawRows } = chances(7);
    let answered = 0;
    let givenUp = 0;
    const worst = { difference: 0 };

    async function send(): Promise<void> {
      const { predictor, expected } = of(models);
      const chosen = Array.from({ length: drawRows() }, () => from(0, images.length - 1));
      const request = Buffer.concat(chosen.map((index) => images[index] ?? Buffer.alloc(0)));
      const controller = new AbortController();
      const reason = new Error('left');
      if (once(5)) void pause(from(0, 200)).then(() => controller.abort(reason));
      try {
        const options = { signal: controller.signal, priority: of(PRIORITIES) };
        const { probabilities } = await predictor.predict(request, options);
        answered++;
        for (const [row, index] of chosen.entries()) {
          for (const [place, value] of (expected[index] ?? []).entries()) {
            const difference = Math.abs((probabilities[row * CLASS_COUNT + place] ?? NaN) - value);
            worst.difference = Math.max(worst.difference, difference);
          }
        }
      } catch (error) {
        assert.equal(error, reason);
        givenUp++;
      }
    }

    await Promise.all(Array.from({ length: REQUESTS }, send));
    assert.equal(answered + givenUp, REQUESTS);
    assert.ok(givenUp > 100, `${givenUp}`);
    assert.ok(worst.difference < TOLERANCE, `${worst.difference}`);
    assert.deepEqual(engine.waiting(), { pictures: 0, rows: 0, ratio: 0 });
  });
});
