import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import {
  readCancelRequest,
  MAXIMUM_RECOVERIES,
  requestCancel,
  RunEvent,
  type RunFolder,
  type RunState,
  settleRun,
} from '@atelier/trainer';
import {
  beginRun,
  BEGINNING,
  createRun,
  endEpoch,
  epochReport,
  type StoredRunChange,
} from '../../support/stored-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ERRORS = {
  none: null,
  crash: new DomainError('training-crashed', 'The training process ended by SIGSEGV without a result.'),
  interruption: new DomainError('training-interrupted', 'Interrupted after 2 epochs; nothing was published.'),
  divergence: new DomainError('training-diverged', 'The loss is NaN.'),
  bug: new TypeError('undefined is not a function'),
} as const;
type ErrorKind = keyof typeof ERRORS;

/** Where a run is found; an interrupted one also by why it was. */
type Found = RunState | 'interrupted by a crash';

interface Row {
  found: Found;
  error: ErrorKind;
  recoveries: number;
  is: RunState;
  /** Of the run afterwards. */
  recovered?: number;
  code?: string;
}

const LAST = MAXIMUM_RECOVERIES;
const ROWS: Row[] = [
  // Nothing was tried, or nobody knows how it ended.
  { found: 'queued', error: 'none', recoveries: 2, is: 'queued', recovered: 2 },
  { found: 'running', error: 'none', recoveries: 0, is: 'queued', recovered: 1 },
  { found: 'running', error: 'none', recoveries: LAST - 1, is: 'queued', recovered: LAST },
  { found: 'running', error: 'none', recoveries: LAST, is: 'failed', code: 'training-crashed' },
  { found: 'interrupted', error: 'none', recoveries: LAST, is: 'queued', recovered: LAST },
  { found: 'interrupted by a crash', error: 'none', recoveries: 0, is: 'queued', recovered: 1 },
  { found: 'interrupted by a crash', error: 'none', recoveries: LAST, is: 'failed', code: 'training-crashed' },
  // Its process crashed.
  { found: 'queued', error: 'crash', recoveries: 0, is: 'queued', recovered: 1 },
  { found: 'queued', error: 'crash', recoveries: LAST, is: 'failed', code: 'training-crashed' },
  { found: 'running', error: 'crash', recoveries: 1, is: 'queued', recovered: 2 },
  { found: 'running', error: 'crash', recoveries: LAST, is: 'failed', code: 'training-crashed' },
  { found: 'interrupted', error: 'crash', recoveries: 0, is: 'queued', recovered: 1 },
  { found: 'interrupted by a crash', error: 'crash', recoveries: 0, is: 'queued', recovered: 1 },
  { found: 'interrupted by a crash', error: 'crash', recoveries: LAST, is: 'failed', code: 'training-crashed' },
  // The service stopped it: that is no recovery.
  { found: 'queued', error: 'interruption', recoveries: LAST, is: 'queued', recovered: LAST },
  { found: 'interrupted', error: 'interruption', recoveries: LAST, is: 'queued', recovered: LAST },
  // It stopped it, and it died before it could say so.
  { found: 'running', error: 'interruption', recoveries: 0, is: 'queued', recovered: 1 },
  // It will fail each time.
  { found: 'queued', error: 'divergence', recoveries: 0, is: 'failed', code: 'training-diverged' },
  { found: 'interrupted', error: 'divergence', recoveries: 0, is: 'failed', code: 'training-diverged' },
  { found: 'queued', error: 'bug', recoveries: 0, is: 'failed', code: 'internal' },
  { found: 'interrupted', error: 'bug', recoveries: 0, is: 'failed', code: 'internal' },
];
const ENDED = ['finished', 'failed', 'cancelled'] as const;

describe('a run that nobody works on', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());

  async function runFound(found: Found, change: StoredRunChange = {}): Promise<RunFolder> {
    if (found === 'queued') return createRun(folder.path, change);
    const run = await beginRun(folder.path, change);
    if (found === 'interrupted by a crash')
      await run.end('interrupted', { code: 'training-crashed', message: 'SIGSEGV' });
    else if (found === 'interrupted')
      await run.end('interrupted', { code: 'training-interrupted', message: 'Stopped' });
    else if (found === 'failed') await run.end('failed', { code: 'internal', message: 'It failed before' });
    else if (found !== 'running') await run.end(found);
    return run;
  }

  /** Settles it, gives it back, and checks that its events tell its state. */
  async function settled(run: RunFolder, error: Error | null) {
    try {
      const outcome = await settleRun(run, error);
      const text = await readFile(join(run.directory, 'events.ndjson'), 'utf8');
      const events = text
        .trimEnd()
        .split('\n')
        .map((line) => RunEvent.parse(JSON.parse(line)).event);
      assert.equal(events.at(-1), run.run.state === 'running' ? 'started' : run.run.state, events.join());
      return { outcome, events };
    } finally {
      await run.release();
    }
  }

  for (const { found, error, recoveries, is, recovered, code } of ROWS) {
    test(`as ${found}, after ${recoveries} recoveries, with error "${error}", is ${is} then`, async () => {
      const run = await runFound(found, { job: { recoveries } });
      const { outcome } = await settled(run, ERRORS[error]);
      assert.equal(run.run.state, is);
      assert.equal(outcome, is === 'queued' ? 'waiting' : 'over');
      if (recovered !== undefined) assert.equal(run.run.job?.recoveries, recovered);
      assert.equal(run.run.error?.code, code);
      assert.equal(run.run.endedAt === null, is === 'queued');
    });
  }

  for (const found of ['queued', 'running', 'interrupted', 'interrupted by a crash'] as const) {
    test(`as ${found} is cancelled where that was asked for, whatever else happened`, async () => {
      for (const error of Object.values(ERRORS)) {
        const run = await runFound(found, { job: { recoveries: LAST } });
        await requestCancel(run.directory, 'It was asked for.');
        assert.equal((await settled(run, error)).outcome, 'over');
        assert.deepEqual([run.run.state, run.run.error?.message], ['cancelled', 'It was asked for.']);
      }
    });
  }

  for (const found of ENDED) {
    test(`as ${found} stays what it is, whatever else happened`, async () => {
      for (const error of Object.values(ERRORS)) {
        for (const isCancelled of [false, true]) {
          const run = await runFound(found);
          if (isCancelled) await requestCancel(run.directory, 'It was asked for.');
          const { run: before } = run;
          assert.equal((await settled(run, error)).outcome, 'over');
          assert.deepEqual(run.run, before);
        }
      }
    });
  }

  test('and whose crash somebody else has settled meanwhile is not counted twice', async () => {
    const run = await runFound('queued', { job: { recoveries: 1 } });
    assert.equal(await settleRun(run, ERRORS.crash, 0), 'waiting');
    assert.deepEqual([run.run.state, run.run.job?.recoveries], ['queued', 1]);
    assert.equal(await settleRun(run, ERRORS.crash, 1), 'waiting');
    assert.deepEqual([run.run.state, run.run.job?.recoveries], ['queued', 2]);
  });

  test('and that crashed too often says how often, and how the last time', async () => {
    const run = await runFound('running', { job: { recoveries: LAST } });
    await settled(run, ERRORS.crash);
    const expected = `Resumed ${LAST} times after a crash, and it crashed again: ${ERRORS.crash.message}`;
    assert.equal(run.run.error?.message, expected);
  });

  test('and that crashed before it had begun tells of the crash before it waits again', async () => {
    const { events } = await settled(await runFound('queued'), ERRORS.crash);
    assert.deepEqual(events, ['queued', 'interrupted', 'queued']);
  });

  test('and that waits again is not cancelled by what was asked for earlier', async () => {
    const run = await runFound('interrupted', { job: {} });
    await settled(run, null);
    assert.equal(await readCancelRequest(run.directory), null);
  });

  test('and is of the command line is interrupted, and waits for its owner', async () => {
    for (const [found, state] of [
      ['running', 'interrupted'],
      ['interrupted', 'interrupted'],
      ['queued', 'queued'],
    ] as const) {
      const run = await runFound(found, { job: null });
      assert.equal((await settled(run, null)).outcome, 'over');
      assert.equal(run.run.state, state);
    }
  });

  test('and has come to where its search looks at it is paused; one that has not goes on', async () => {
    for (const [epochs, outcome, state] of [
      [1, 'waiting', 'queued'],
      [2, 'over', 'interrupted'],
      [3, 'over', 'interrupted'],
    ] as const) {
      const run = await createRun(folder.path, { job: { untilEpoch: 2 } });
      await run.begin(BEGINNING);
      for (let epoch = 1; epoch <= epochs; epoch++) await endEpoch(run, epochReport(epoch));
      await run.end('interrupted', { code: 'training-interrupted', message: 'Paused' });
      assert.equal((await settled(run, ERRORS.interruption)).outcome, outcome, `after ${epochs}`);
      assert.equal(run.run.state, state);
    }
  });
});
