import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { MAXIMUM_RECOVERIES, type NewRunBody } from '@atelier/trainer';
import type { Program } from './programs.ts';
import { attemptsOf, crashesOf, eventsOf, mostAtOnce } from './run-attempts.ts';
import { smallRecipe } from './small-recipe.ts';
import { type EventStream, TrainerClient } from './trainer-client.ts';
import type { TrainerPrograms } from './trainer-programs.ts';

/** A whole trainer, with nothing to do yet. */
export interface TrainerUnderTest {
  readonly programs: TrainerPrograms;
  /** How many runs it trains at a time. */
  readonly concurrency: number;
  /** A process that takes runs, and is killed. */
  readonly victim: Program;
  /** What somebody who watches over the processes does at once when `victim` is gone, if anything. */
  afterKill(): Promise<void>;
  close(): Promise<void>;
}

/** A run that takes little more than its process needs to start. */
export function shortRun(): Partial<NewRunBody> {
  return { recipe: { ...smallRecipe() }, engine: 'onnx', device: 'cpu', threads: 1, limit: 1000 };
}

export const LASTING_EPOCHS = 40;

/** A run that is surely still under way when something is done to it in its first epochs, and over soon. */
export function lastingRun(): Partial<NewRunBody> {
  return { ...shortRun(), recipe: { ...smallRecipe({ epochs: LASTING_EPOCHS }) }, limit: 8000 };
}

/** What every trainer keeps, however it is made up of processes. */
export function describeTrainer(title: string, open: () => Promise<TrainerUnderTest>): void {
  describe(title, () => {
    let under: TrainerUnderTest;
    let client: TrainerClient;
    let streams: EventStream[];
    beforeEach(async () => {
      streams = [];
      under = await open();
      client = new TrainerClient(() => under.programs.url);
    });
    afterEach(async () => {
      await Promise.all(streams.map((stream) => stream.close()));
      await under.close();
    });

    function follow(id: string): EventStream {
      const stream = client.follow(id);
      streams.push(stream);
      return stream;
    }

    async function submit(count: number, run: Partial<NewRunBody>): Promise<string[]> {
      const ids: string[] = [];
      for (let index = 0; index < count; index++) ids.push(await client.submit(run));
      return ids;
    }

    async function allFinished(ids: readonly string[]): Promise<void> {
      for (const id of ids) {
        const { state, error } = await client.runOver(id);
        assert.equal(state, 'finished', JSON.stringify(error));
      }
    }

    /** By run, in the order of `ids`. */
    function eventsOfAll(ids: readonly string[]) {
      return Promise.all(ids.map((id) => eventsOf(under.programs.directoryOf(id))));
    }

    /** The digests that the runs' exports have, without repetition. */
    async function digestsOf(ids: readonly string[]): Promise<(string | undefined)[]> {
      const runs = await Promise.all(ids.map((id) => client.run(id)));
      assert.ok(runs.every(({ state }) => state === 'finished'));
      const models = await Promise.all(ids.map((id) => client.request(`/runs/${id}/model.onnx`)));
      const bytes = await Promise.all(models.map((model) => model.arrayBuffer()));
      return [...new Set(bytes.map((model) => Buffer.from(model).toString('base64')))];
    }

    test('trains each of ten runs once, in the order in which they were asked for, and no more at a time than it may', async () => {
      const ids = await submit(10, shortRun());
      await allFinished(ids);
      const events = await eventsOfAll(ids);
      for (const each of events) {
        const names = each.map(({ event }) => event).filter((name) => !['step', 'checkpoint'].includes(name));
        assert.deepEqual(names, ['queued', 'started', 'epoch', 'epoch', 'epoch', 'finished']);
      }
      const attempts = events.flatMap(attemptsOf);
      assert.ok(mostAtOnce(attempts) <= under.concurrency, JSON.stringify(attempts));
      for (const [index, { startedAt }] of attempts.entries()) {
        // Those that start at the same time may overtake each other, and no others.
        const overtaken = attempts.slice(0, index).filter((older) => older.startedAt > startedAt).length;
        assert.ok(overtaken < under.concurrency, `run ${index} overtook ${overtaken}: ${JSON.stringify(attempts)}`);
      }
      assert.equal((await digestsOf(ids)).length, 1);
    });

    test('finishes every run, and none twice at once, although a process that attends to them is killed', async () => {
      const ids = await submit(2 * under.concurrency, lastingRun());
      const { programs, victim } = under;
      const [, attended = ''] = await victim.wrote(/"run":"([^"]+)","msg":"Run is attended to"/);
      await follow(attended).event('epoch', ({ data }) => (data.epoch ?? 0) >= 3);
      await programs.kill(victim);
      await under.afterKill();
      await allFinished(ids);
      const events = await eventsOfAll(ids);
      assert.ok(mostAtOnce(events.flatMap(attemptsOf)) <= under.concurrency);
      for (const [index, id] of ids.entries()) {
        const of = events[index] ?? [];
        const { recoveries } = await client.run(id);
        assert.equal(recoveries, crashesOf(of), 'each crash counts once');
        assert.ok(recoveries <= MAXIMUM_RECOVERIES);
        assert.equal(attemptsOf(of).length, recoveries + 1);
        if (id === attended) assert.equal(recoveries, 1);
      }
      assert.equal((await digestsOf(ids)).length, 1);
    });

    test('cancels a run that waits and one that is trained, and goes on with both when they are resumed', async () => {
      const ids = await submit(under.concurrency + 1, lastingRun());
      const [running = '', waiting = ''] = [ids[0], ids.at(-1)];
      await follow(running).event('epoch');
      await client.cancel(waiting);
      assert.equal((await client.run(waiting)).state, 'cancelled', 'at once: nobody works on it');
      await client.cancel(running);
      const { epochs } = await client.runIn(running, 'cancelled', 'finished');
      assert.ok(epochs > 0 && epochs < LASTING_EPOCHS, `cancelled after epoch ${epochs}`);
      assert.deepEqual(
        (await eventsOf(under.programs.directoryOf(waiting))).map(({ event }) => event),
        ['queued', 'cancelled'],
      );
      for (const id of [running, waiting]) await client.resume(id);
      await allFinished(ids);
      const events = await eventsOfAll(ids);
      assert.equal(attemptsOf(events[0] ?? []).length, 2);
      assert.equal(attemptsOf(events.at(-1) ?? []).length, 1);
      assert.ok(mostAtOnce(events.flatMap(attemptsOf)) <= under.concurrency);
      assert.equal((await digestsOf(ids)).length, 1);
    });
  });
}
