import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type EpochReport, readRun } from '@atelier/trainer';
import { processGone } from '../support/process-gone.ts';
import { atelier, Program, ROOT } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/**
 * Every engine resumes to the same bits; a new one is added here, with as many images as make an epoch last a while. With one
 * thread, where it has them to choose: two that wait for each other take many times as long beside other tests.
 */
const ENGINES = {
  onnx: { limit: 12_000, epochs: 12, more: ['--threads', '1'] },
  tfjs: { limit: 2_000, epochs: 8, more: [] },
} as const;

for (const [engine, { limit, epochs, more }] of Object.entries(ENGINES)) {
  describe(`npm run train -- --resume, on ${engine} (real data)`, () => {
    const size = ['--limit', `${limit}`, '--epochs', `${epochs}`, ...more];
    const words = ['train', '--recipe', 'mlp-128-64', '--engine', engine, ...size];
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let whole: string;
    before(async () => {
      folder = await temporaryFolder();
      whole = await runIn('whole', words);
    });
    after(() => folder.remove());

    const environment = (runs: string) => ({
      RUNS_DIR: join(folder.path, runs),
      MODELS_DIR: join(folder.path, 'models'),
    });

    /** The only run in a folder of runs. */
    async function onlyRun(runs: string): Promise<{ id: string; directory: string }> {
      const entries = await readdir(join(folder.path, runs), { withFileTypes: true });
      const [id = '', ...others] = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      assert.deepEqual(others, []);
      return { id, directory: join(folder.path, runs, id) };
    }

    async function runIn(runs: string, command: string[]): Promise<string> {
      const { code, stderr } = await atelier(command, environment(runs)).finished;
      assert.equal(code, 0, stderr);
      return (await onlyRun(runs)).directory;
    }

    /** Starts a training and waits until it is in the middle of an epoch, the third where the machine is fast. */
    async function amidEpoch(runs: string): Promise<Program> {
      const program = atelier(words, environment(runs));
      await program.wrote(/Epoch 2:/);
      await pause(100);
      return program;
    }

    async function trainerOf(directory: string): Promise<number> {
      return (JSON.parse(await readFile(join(directory, 'lock'), 'utf8')) as { pid: number }).pid;
    }

    async function assertLikeWhole(directory: string): Promise<void> {
      const model = (path: string) => readFile(join(path, 'model.onnx'));
      assert.ok((await model(directory)).equals(await model(whole)), 'the same bits of model.onnx');
      assert.deepEqual(await history(directory), await history(whole));
      assert.equal((await readRun(directory)).state, 'finished');
    }

    test('the same recipe, seed and data give the same bits of model.onnx in another run', async () => {
      await assertLikeWhole(await runIn('again', words));
    });

    test('after kill -9 in the middle of an epoch it ends in the bits of an uninterrupted run', async () => {
      const program = await amidEpoch('killed');
      const { id, directory } = await onlyRun('killed');
      const trainer = await trainerOf(directory);
      process.kill(-Number(program.process.pid), 'SIGKILL'); // the whole group, the process that trains too
      await program.finished;
      await processGone(trainer); // while the system takes its memory back, it is still there
      const killed = await readRun(directory);
      assert.equal(killed.state, 'running');
      assert.ok(killed.epochs >= 2 && killed.epochs < epochs, `killed after epoch ${killed.epochs}`);
      assert.ok((await readdir(directory)).includes('lock'), 'nobody was left to remove it');
      const { code, stderr } = await atelier(['train', '--resume', id], environment('killed')).finished;
      assert.equal(code, 0, stderr);
      const done = killed.epochs;
      assert.match(stderr, new RegExp(`resumed after epoch (${done}|${done + 1})\\nEpoch (${done + 1}|${done + 2}):`));
      await assertLikeWhole(directory);
    });

    if (engine !== 'onnx') return; // what follows is the processes' business

    test('after a crash of the process that trains the run says so, and goes on by the path of its folder', async () => {
      const program = await amidEpoch('crashed');
      const { id, directory } = await onlyRun('crashed');
      process.kill(await trainerOf(directory), 'SIGSEGV');
      const { code, stderr } = await program.finished;
      assert.equal(code, 1);
      assert.match(stderr, /The training process ended by SIGSEGV without a result\. \(training-crashed\)/);
      assert.match(stderr, new RegExp(`Go on with: npm run train -- --resume ${id}`));
      const run = await readRun(directory);
      assert.deepEqual([run.state, run.error?.code], ['interrupted', 'training-crashed']);
      await runIn('crashed', ['train', '--resume', directory]);
      await assertLikeWhole(directory);
    });

    test('a run whose command line is killed ends by itself, says interrupted, and goes on', async () => {
      const program = await amidEpoch('orphaned');
      const { id, directory } = await onlyRun('orphaned');
      const trainer = await trainerOf(directory);
      program.process.kill('SIGKILL');
      await processGone(trainer);
      const run = await readRun(directory);
      assert.deepEqual([run.state, run.error?.code], ['interrupted', 'training-crashed']);
      await runIn('orphaned', ['train', '--resume', id]);
      await assertLikeWhole(directory);
    });

    test('a second Ctrl-C ends it at once, and the run says interrupted and goes on', async () => {
      const program = await amidEpoch('impatient');
      const { id, directory } = await onlyRun('impatient');
      const trainer = await trainerOf(directory);
      process.kill(trainer, 'SIGSTOP'); // busy, as a library that does not come back
      program.process.kill('SIGINT');
      await program.wrote(/Once more to stop at once/);
      await pause(1100);
      program.process.kill('SIGINT');
      assert.equal((await program.finished).code, 130);
      await processGone(trainer);
      assert.equal((await readRun(directory)).state, 'interrupted');
      await runIn('impatient', ['train', '--resume', id]);
      await assertLikeWhole(directory);
    });

    test('a second process on the same run is refused, and the first one goes on', async () => {
      const program = await amidEpoch('twice');
      const { id, directory } = await onlyRun('twice');
      const trainer = await trainerOf(directory);
      process.kill(trainer, 'SIGSTOP'); // it must not end before the second one comes
      const second = await atelier(['train', '--resume', id], environment('twice')).finished;
      assert.equal(second.code, 1);
      assert.match(second.stderr, /is in use by process \d+ on \S+ since \S+\. \(run-in-use\)/);
      process.kill(trainer, 'SIGCONT');
      assert.equal((await program.finished).code, 0);
      await assertLikeWhole(directory);
    });

    test('a finished run is refused with exit code 2', async () => {
      const { id } = await onlyRun('whole');
      const { code, stderr } = await atelier(['train', '--resume', id], environment('whole')).finished;
      assert.match(stderr, /Run \S+ is finished; its model is in .*\(run-finished\)/);
      assert.equal(code, 2);
    });

    test('where a file cannot be written to its end the run says so, and goes on once it can', async () => {
      const limited = [
        '-c',
        'ulimit -f 400 && exec "$@"',
        'sh',
        process.execPath,
        join(ROOT, 'scripts', 'atelier.mjs'),
      ];
      const program = new Program('bash', [...limited, ...words], environment('full'));
      const { code, stderr } = await program.finished;
      assert.equal(code, 1);
      assert.match(stderr, /There is no room to write \S+last\.safetensors: EFBIG.*\(disk-full\)/);
      const { id, directory } = await onlyRun('full');
      const run = await readRun(directory);
      assert.deepEqual([run.state, run.error?.code, run.epochs], ['failed', 'disk-full', 0]);
      assert.ok(!(await readdir(join(directory, 'checkpoint'))).some((name) => name.endsWith('.part')));
      await runIn('full', ['train', '--resume', id]);
      await assertLikeWhole(directory);
    });
  });
}

async function history(directory: string) {
  const lines = (await readFile(join(directory, 'history.ndjson'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const { epoch, trainingLoss, validation, learningRate } = JSON.parse(line) as EpochReport;
    return { epoch, trainingLoss, validation, learningRate };
  });
}
