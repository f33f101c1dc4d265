import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { searchResults } from '@atelier/trainer';
import fc from 'fast-check';
import { type Course, Killed, rising, type SimulatedRuns, simulation, synchronousHalving } from './simulated-runs.ts';

const NEVER = new AbortController().signal;

/** Courses whose accuracies are all different, in any order, crossing each other. */
const courses = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 4, 7, 9)).chain(([trials, epochs]) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 9999 }), { minLength: trials * epochs, maxLength: trials * epochs })
    .map((numbers): Course[] =>
      Array.from({ length: trials }, (_, trial) => ({
        accuracies: numbers.slice(trial * epochs, (trial + 1) * epochs).map((number) => number / 10_000),
      })),
    ),
);

/** The same, where some are slow, fail or stop by themselves. */
const mishaps = fc
  .record({
    slowness: fc.integer({ min: 0, max: 6 }),
    failsIn: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    endsAfter: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  })
  .map(({ slowness, failsIn, endsAfter }) => ({
    slowness,
    ...(failsIn === undefined ? {} : { failsIn }),
    ...(endsAfter === undefined ? {} : { endsAfter }),
  }));
const troubled = courses.chain((list) =>
  fc.array(mishaps, { minLength: list.length, maxLength: list.length }).map((changes) =>
    list.map((course, index): Course => {
      const { endsAfter, ...change } = changes[index] ?? {};
      const end = { endsAfter: Math.min(endsAfter ?? Infinity, course.accuracies.length) };
      return { ...course, ...change, ...end };
    }),
  ),
);

const twenty = Array.from({ length: 20 }, (_, index) => rising(0.6 + ((index * 7) % 20) / 100, 7));

function outcome(runs: SimulatedRuns) {
  const { state, error, trials } = runs.saved;
  const states = [...runs.runs].map(([id, { standing, reason, validation }]) => [id, standing, reason, validation]);
  return { state, error, trials, states, log: runs.log, results: runs.concluded.at(-1)?.looks };
}

describe('a search that is carried through', () => {
  test('twenty trials of seven epochs take 46 of 140 epochs, and the best of all comes to the end', async () => {
    const runs = simulation(twenty);
    const search = await runs.coordinator().carryThrough(NEVER);
    assert.equal(search.state, 'finished');
    assert.equal(runs.epochs, 20 * 1 + 10 * 1 + 5 * 2 + 2 * 3);
    const { best } = searchResults(search, runs.concluded[0]?.looks ?? new Map());
    assert.equal(best?.best?.accuracy, 0.79);
    assert.equal(best?.epochs, 7);
  });

  test('one at a time it is synchronous successive halving, step by step', async () => {
    await fc.assert(
      fc.asyncProperty(courses, fc.integer({ min: 2, max: 4 }), async (list, reduction) => {
        const runs = simulation(list, { halving: { reduction } });
        await runs.coordinator().carryThrough(NEVER);
        // Within a rung the order of promotions is by accuracy, that of the reference too; only the sets are compared.
        assert.deepEqual([...runs.log].sort(), synchronousHalving(list, runs.saved).sort());
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  test('never more runs are outstanding than it may have, none is asked twice for a rung, and one comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(troubled, fc.integer({ min: 1, max: 5 }), async (list, parallel) => {
        const runs = simulation(list, { parallel });
        await runs.coordinator().carryThrough(NEVER);
        assert.ok(runs.mostOutstanding <= parallel, `${runs.mostOutstanding} outstanding`);
        assert.equal(new Set(runs.log).size, runs.log.length);
        const standings = [...runs.runs.values()].map(({ standing }): string => standing);
        assert.ok(!standings.includes('paused') && !standings.includes('outstanding'), standings.join());
        assert.ok(standings.includes('finished') || !standings.some((each) => each !== 'failed'), standings.join());
        assert.equal(runs.saved.state, standings.includes('finished') ? 'finished' : 'failed');
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test('a promotion does not wait for a straggler', async () => {
    const runs = simulation(
      twenty.slice(0, 6).map((course, index) => ({ ...course, slowness: index === 5 ? 1000 : 0 })),
      { parallel: 2 },
    );
    const controller = new AbortController();
    const search = runs.coordinator().carryThrough(controller.signal);
    while (!runs.log.includes('3 to 2') && runs.calls < 500) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await search;
    assert.ok(runs.log.includes('3 to 2'), runs.log.join(', ')); // the best of the first five
    assert.equal(runs.runs.get('run-6')?.standing, 'outstanding');
  });

  test('without halving every trial is trained to its end', async () => {
    const runs = simulation(twenty, { halving: null, parallel: 3 });
    await runs.coordinator().carryThrough(NEVER);
    assert.equal(runs.epochs, 140);
    assert.equal(runs.log.length, 20);
    assert.equal(runs.mostOutstanding, 3);
  });

  test('runs that wait at a rung when it is over are stopped, each with its place', async () => {
    const runs = simulation([rising(0.7, 3), rising(0.9, 3), rising(0.8, 3)]);
    await runs.coordinator().carryThrough(NEVER);
    const reasons = ['run-1', 'run-2', 'run-3'].map((id) => runs.runs.get(id)?.reason);
    assert.deepEqual(reasons, ['Stopped after epoch 1: place 3 of 3.', null, 'Stopped after epoch 1: place 2 of 3.']);
  });

  test('where all have failed the search has failed, and says so', async () => {
    const runs = simulation([rising(0.7, 3, { failsIn: 1 }), rising(0.9, 3, { failsIn: 2 })]);
    const { state, error, endedAt } = await runs.coordinator().carryThrough(NEVER);
    assert.equal(state, 'failed');
    assert.equal(error?.code, 'search-unfinished');
    assert.match(error.message, /^None of the 2 trials/);
    assert.notEqual(endedAt, null);
  });

  test('a full queue or disk makes it wait, any other refusal ends it with the error', async () => {
    const refuse = async (code: 'queue-full' | 'disk-full' | 'run-in-use', times: number) => {
      const runs = simulation(twenty.slice(0, 3));
      const launch = runs.launch.bind(runs);
      let refusals = 0;
      runs.launch = (...request) =>
        request[2].number === 2 && refusals++ < times
          ? Promise.reject(new DomainError(code, 'No room.'))
          : launch(...request);
      return { runs, search: await runs.coordinator().carryThrough(NEVER) };
    };
    for (const code of ['queue-full', 'disk-full'] as const) {
      const waited = await refuse(code, 3);
      assert.equal(waited.search.state, 'finished');
      assert.ok(waited.search.trials.every(({ run }) => run !== null));
    }
    const failed = await refuse('run-in-use', 1);
    assert.deepEqual(failed.search.error, { code: 'run-in-use', message: 'No room.' });
    assert.equal(failed.runs.runs.get('run-1')?.reason, 'Stopped after epoch 1: the search failed.');
  });

  test('a trial whose recipe is refused has failed, is not asked for again, and the others go on', async () => {
    for (const code of ['invalid-recipe', 'teacher-not-found', 'invalid-configuration'] as const) {
      const runs = simulation([rising(0.7, 3), rising(0.9, 3), rising(0.8, 3)]);
      const launch = runs.launch.bind(runs);
      let refusals = 0;
      runs.launch = (...request) => {
        if (request[2].number !== 2) return launch(...request);
        refusals++;
        return Promise.reject(new DomainError(code, 'Too large.'));
      };
      runs.killAt = { call: 8, when: 'before' };
      await assert.rejects(runs.coordinator().carryThrough(NEVER), Killed);
      runs.restart();
      const search = await runs.coordinator().carryThrough(NEVER);
      assert.equal(search.state, 'finished');
      assert.equal(refusals, 1);
      assert.deepEqual(search.trials[1]?.error, { code, message: 'Too large.' });
      const { trials, best } = searchResults(search, runs.concluded[0]?.looks ?? new Map());
      assert.equal(best?.number, 3);
      assert.deepEqual([trials.at(-1)?.number, trials.at(-1)?.state], [2, 'failed']);
    }
  });

  test('where all recipes are refused the search says why', async () => {
    const runs = simulation([rising(0.7, 3), rising(0.9, 3)]);
    runs.launch = () => Promise.reject(new DomainError('invalid-recipe', 'Too large.'));
    const { error } = await runs.coordinator().carryThrough(NEVER);
    const message = 'None of the 2 trials has come to a result; trial 1: Too large.';
    assert.deepEqual(error, { code: 'search-unfinished', message });
  });

  test('aborted it leaves everything as it is; cancelled it ends every run', async () => {
    const runs = simulation(twenty, { parallel: 2 });
    const controller = new AbortController();
    const coordinator = runs.coordinator();
    const carried = coordinator.carryThrough(controller.signal);
    while (runs.log.length < 5) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    assert.equal((await carried).state, 'running');
    const standings = [...runs.runs.values()].map(({ standing }) => standing);
    assert.ok(standings.includes('paused') && !standings.includes('cancelled'), standings.join());

    const { state, endedAt } = await coordinator.cancel();
    assert.equal(state, 'cancelled');
    assert.notEqual(endedAt, null);
    for (const { standing, reason } of runs.runs.values()) {
      assert.equal(standing, 'cancelled');
      assert.match(reason ?? '', /^Stopped after epoch \d: the search was cancelled\.$/);
    }
  });

  test('a trial that a person deleted while it waited is not gone on with; the next best is', async () => {
    const runs = simulation([rising(0.7, 3), rising(0.9, 3), rising(0.8, 3)]);
    const look = runs.look.bind(runs);
    runs.look = async (id) => {
      const found = await look(id);
      if (id === 'run-3' && found?.standing === 'paused') runs.runs.delete('run-2');
      return found;
    };
    const search = await runs.coordinator().carryThrough(NEVER);
    assert.equal(search.state, 'finished');
    assert.equal(runs.log.at(-1), '3 to 3');
  });
});

describe('a search that is killed', () => {
  // Crossing courses, one that fails and one that stops by itself.
  const list = [
    rising(0.7, 7),
    rising(0.9, 7, { failsIn: 3 }),
    rising(0.8, 7),
    rising(0.85, 7, { endsAfter: 2 }),
    rising(0.75, 7),
    rising(0.82, 7),
    rising(0.81, 7),
  ];

  test('comes to the same end from wherever it was, one run at a time', async () => {
    const first = simulation(list);
    const search = structuredClone(first.saved);
    await first.coordinator().carryThrough(NEVER);
    assert.equal(first.saved.state, 'finished');
    assert.ok(first.calls > 50);
    for (let call = 0; call < first.calls; call++) {
      for (const when of ['before', 'after'] as const) {
        const runs = simulation(list);
        runs.saved = structuredClone(search);
        runs.killAt = { call, when };
        await assert.rejects(runs.coordinator().carryThrough(NEVER), Killed);
        runs.restart();
        await runs.coordinator().carryThrough(NEVER);
        assert.deepEqual(outcome(runs), outcome(first), `killed ${when} call ${call}`);
      }
    }
  });

  test('while it was being cancelled stays cancelled, and the rest of its runs are ended', async () => {
    let killedWhileStopping = 0;
    for (let call = 12; call < 40; call++) {
      const runs = simulation(list, { parallel: 2 });
      runs.killAt = { call: 11, when: 'before' };
      await assert.rejects(runs.coordinator().carryThrough(NEVER), Killed);
      runs.restart();
      runs.killAt = { call, when: 'after' };
      await runs
        .coordinator()
        .cancel()
        .catch((error: unknown) => assert.ok(error instanceof Killed));
      if (runs.saved.state === 'running' || runs.saved.endedAt !== null) continue;
      killedWhileStopping++;
      runs.restart();
      const launched = runs.log.length;
      const { state, endedAt } = await runs.coordinator().carryThrough(NEVER);
      assert.equal(state, 'cancelled');
      assert.notEqual(endedAt, null);
      assert.equal(runs.log.length, launched);
      assert.ok([...runs.runs.values()].every(({ standing }) => standing === 'cancelled'));
    }
    assert.ok(killedWhileStopping >= 5, `${killedWhileStopping} times`);
  });

  test('never has more outstanding for it, several at a time', async () => {
    const whole = simulation(list, { parallel: 3 });
    await whole.coordinator().carryThrough(NEVER);
    for (let call = 0; call < whole.calls; call++) {
      const runs = simulation(list, { parallel: 3 });
      runs.killAt = { call, when: 'after' };
      await assert.rejects(runs.coordinator().carryThrough(NEVER), Killed);
      runs.restart();
      await runs.coordinator().carryThrough(NEVER);
      assert.equal(runs.saved.state, 'finished');
      assert.ok(runs.mostOutstanding <= 3);
      assert.equal(new Set(runs.log).size, runs.log.length);
    }
  });
});
