import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from '@atelier/model-repository';
import { MAXIMUM_RECOVERIES, type RunResource } from '@atelier/trainer';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { attemptsOf, crashesOf, eventsOf } from '../support/run-attempts.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { TrainerClient } from '../support/trainer-client.ts';
import { killIfThere, TrainerPrograms } from '../support/trainer-programs.ts';

const RUNS = 50;
/** Runs of the same seed have the same bits. */
const SEEDS = 5;
/** What happens, and how often at most. */
const TIMES = { cancel: 8, 'kill a training': 14, 'kill the service': 2 } as const;
type Mishap = keyof typeof TIMES;
/** As long as all of them together take on a fast machine, or less. */
const BETWEEN_MS = 900;
const LIMIT_MS = 15 * 60_000;

let programs: TrainerPrograms;
beforeEach(async () => {
  programs = await TrainerPrograms.create({ TRAINER_CONCURRENCY: '2' });
});
afterEach(() => programs.close());

test(
  'fifty runs come to an end, each to the right one, through cancels and kills (real data)',
  { timeout: LIMIT_MS },
  async (context) => {
    const random = xoroshiro128plus(2024);
    const draw = <Item>(items: readonly Item[]): Item | undefined =>
      items[uniformInt(random, 0, Math.max(0, items.length - 1))];
    const client = new TrainerClient(() => programs.url);
    await programs.startService();
    const ids: string[] = [];
    for (let index = 0; index < RUNS; index++) {
      const recipe = { ...smallRecipe({ seed: index % SEEDS, epochs: 2 }) };
      ids.push(await client.submit({ recipe, engine: 'onnx', device: 'cpu', threads: 1, limit: 500 }));
    }

    const left = shuffled(
      Object.entries(TIMES).flatMap(([mishap, times]) => Array<Mishap>(times).fill(mishap as Mishap)),
    );
    const done: string[] = [];
    const cancelled = new Set<string>();
    for (;;) {
      const unfinished = (await all()).filter(({ state }) => !isFinal(state));
      if (unfinished.length === 0) break;
      const mishap = left.pop();
      if (mishap !== undefined) done.push(await happen(mishap, unfinished));
      await pause(BETWEEN_MS);
    }

    const runs = await all();
    assert.deepEqual(runs.map(({ id }) => id).sort(), [...ids].sort(), 'none is lost, and none is new');
    assert.deepEqual(left, [], `all of it happened while there were runs: ${done.join(', ')}`);
    const digests = new Map<number, Set<string>>();
    for (const { id, state, error, recoveries, recipe } of runs) {
      await client.runOver(id);
      const events = await eventsOf(programs.directoryOf(id));
      const attempts = attemptsOf(events); // fails where two were under way at once
      const story = `${JSON.stringify(error)} ${events.map(({ event }) => event).join(' ')}`;
      assert.ok(recoveries <= MAXIMUM_RECOVERIES, story);
      assert.equal(crashesOf(events), recoveries, story);
      if (state === 'cancelled') assert.ok(cancelled.has(id), 'somebody asked for it');
      if (state === 'failed') assert.match(error?.message ?? '', /^Resumed 3 times after a crash/);
      if (state !== 'finished') continue;
      assert.ok(attempts.length >= 1);
      const seed = recipe?.seed ?? -1;
      const model = await readFile(join(programs.directoryOf(id), 'model.onnx'));
      digests.set(seed, (digests.get(seed) ?? new Set()).add(digestOf(model)));
    }
    assert.deepEqual(
      [...digests.values()].map(({ size }) => size),
      Array<number>(SEEDS).fill(1),
    );
    assert.equal(
      new Set([...digests.values()].flatMap((each) => [...each])).size,
      SEEDS,
      'a seed is not without effect',
    );
    const count = (wanted: RunResource['state']) => runs.filter(({ state }) => state === wanted).length;
    context.diagnostic(`${count('finished')} finished, ${count('cancelled')} cancelled, ${count('failed')} failed`);

    async function all(): Promise<RunResource[]> {
      return ((await (await client.request('/runs?limit=500')).json()) as { runs: RunResource[] }).runs;
    }

    async function happen(mishap: Mishap, unfinished: readonly RunResource[]): Promise<string> {
      if (mishap === 'kill the service') {
        await programs.kill(programs.service);
        await programs.startService();
        return mishap;
      }
      if (mishap === 'cancel') {
        const id = draw(unfinished)?.id ?? '';
        cancelled.add(id);
        await client.post(`/runs/${id}/cancel`); // which it may escape by its end
        return `cancel ${id}`;
      }
      const training = draw(await programs.trainings());
      if (training !== undefined && killIfThere(training)) return mishap;
      left.unshift(mishap); // later: it came between two runs
      return 'nothing';
    }

    function shuffled<Item>(items: readonly Item[]): Item[] {
      const [from, to]: [Item[], Item[]] = [[...items], []];
      while (from.length > 0) to.push(...from.splice(uniformInt(random, 0, from.length - 1), 1));
      return to;
    }
  },
);

function isFinal(state: RunResource['state']): boolean {
  return state === 'finished' || state === 'failed' || state === 'cancelled';
}
