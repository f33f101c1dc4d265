import assert from 'node:assert/strict';
import { mkdir, writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { changeLabels, writeLabels } from '@atelier/model-repository';
import { type FakeService, removeVersion, serveFakes, writeVersion } from '../../support/fake-versions.ts';
import { randomImage } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const NAME = 'fashion-mlp';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  root = folder.path;
});
afterEach(() => folder.remove());

/** A service over versions 1 to `count` that has taken everything over. */
async function serving(count: number, change: Parameters<typeof serveFakes>[1] = {}): Promise<FakeService> {
  for (let number = 1; number <= count; number++) await writeVersion(root, number);
  const service = serveFakes(root, change);
  await service.models.start();
  await service.models.refresh();
  return service;
}

const reasonFor = ({ models }: FakeService, number: number) =>
  models.statuses().find(({ version }) => version.version === number)?.reason;

describe('at the start', () => {
  test('the newest version answers as soon as it is loaded, and the others come after it', async () => {
    await writeVersion(root, 1);
    await writeVersion(root, 2);
    const service = serveFakes(root);
    assert.throws(() => service.models.choose({}), { code: 'not-ready', message: /being loaded/ });
    const started = service.models.start();
    await started;
    assert.equal(service.stable(), 2);
    assert.deepEqual([service.loads[0], service.ready()], ['fashion-mlp/2', [2]]);
    await service.models.refresh();
    assert.deepEqual(service.ready(), [1, 2]);
  });

  test('a label decides who is loaded first', async () => {
    for (const number of [1, 2, 3]) await writeVersion(root, number);
    await changeLabels(root, NAME, { stable: 1, canary: 2 });
    const service = await serving(0);
    assert.deepEqual(service.loads, ['fashion-mlp/1', 'fashion-mlp/2', 'fashion-mlp/3']);
    assert.equal(service.stable(), 1);
    assert.deepEqual(service.told.swaps, ['none to 1']);
  });

  test('where the labelled version is bad, what was stable before it answers, then what is older', async () => {
    for (const number of [1, 2, 3, 4]) await writeVersion(root, number);
    await changeLabels(root, NAME, { stable: 1 });
    await changeLabels(root, NAME, { stable: 3 });
    const service = serveFakes(root);
    service.faults.set('v3', 'golden-mismatch');
    await service.models.start();
    assert.equal(service.stable(), 1);
    await service.models.refresh();
    assert.match(
      reasonFor(service, 3) ?? '',
      /^labelled stable, and golden-mismatch: fashion-mlp\/3\/model\.onnx is bad/,
    );
    assert.match(reasonFor(service, 1) ?? '', /in the place of version 3, which is labelled stable/);
  });

  test('without a usable version it is not ready, until one is published', async () => {
    const service = await serving(0);
    assert.throws(() => service.models.choose({}), { code: 'not-ready', message: /No version of "fashion-mlp"/ });
    assert.match(service.text(), /it is served as soon as it is there/);
    await writeVersion(root, 1);
    await service.models.refresh();
    assert.equal(service.models.choose({}).version.version, 1);
  });
});

describe('while it runs', () => {
  test('a new version takes over once it is loaded, and the oldest is released when its requests are answered', async () => {
    const service = await serving(2);
    await writeVersion(root, 3);
    let open: (() => void) | undefined;
    service.gate.current = new Promise<void>((resolve) => (open = resolve));
    const inFlight = service.models.choose({ version: 1 }).predict(randomImage(1));
    const looking = service.models.refresh();
    while (service.loads.length < 3) await new Promise(setImmediate);
    assert.equal(service.stable(), 2, 'the old one answers meanwhile');
    assert.equal(service.models.statuses().find(({ state }) => state === 'LOADING')?.version.version, 3);
    open?.();
    await looking;
    assert.deepEqual([service.stable(), service.ready()], [3, [2, 3]]);
    assert.equal((await inFlight).probabilities[0], 1);
    assert.equal(service.predictors.get('fashion-mlp/1')?.closed, true);
  });

  test('nothing is read or loaded again when nothing has changed', async () => {
    const service = await serving(3);
    const [before] = service.models.statuses();
    for (let look = 0; look < 3; look++) await service.models.refresh();
    assert.equal(service.loads.length, 2);
    assert.equal(service.told.swaps.length, 1);
    assert.equal(before?.state, 'UNAVAILABLE');
    assert.equal(
      service.models.statuses()[0]?.version,
      before.version,
      'the same object: its manifest was not read again',
    );
  });

  test('a bad version never answers, is named once, and is tried again only when its files change', async () => {
    const service = await serving(2);
    service.faults.set('bad', 'digest-mismatch');
    await writeVersion(root, 3, 'bad');
    for (let look = 0; look < 3; look++) await service.models.refresh();
    assert.deepEqual([service.stable(), service.ready()], [2, [1, 2]]);
    assert.equal(service.loads.filter((name) => name === 'fashion-mlp/3').length, 1);
    assert.equal(service.lines.filter(({ msg }) => msg.includes('/3 is not served')).length, 1);
    assert.deepEqual(service.told.refusals, ['fashion-mlp/3 digest-mismatch']);
    assert.equal(reasonFor(service, 3), 'digest-mismatch: fashion-mlp/3/model.onnx is bad.');
    assert.throws(() => service.models.choose({ version: 3 }), { code: 'not-ready', message: /digest-mismatch/ });

    await writeVersion(root, 3, 'bad');
    await service.models.refresh();
    assert.equal(service.loads.filter((name) => name === 'fashion-mlp/3').length, 2, 'its files are other ones');
    await writeVersion(root, 3, 'mended');
    await service.models.refresh();
    assert.deepEqual([service.stable(), service.ready()], [3, [2, 3]]);
  });

  test('a version published again under its number is another one; where it is bad, the old content answers', async () => {
    const service = await serving(2);
    const before = service.models.served()?.manifest.digest;
    service.faults.set('bad', 'golden-mismatch');
    await writeVersion(root, 2, 'bad');
    await service.models.refresh();
    assert.equal(service.models.served()?.manifest.digest, before);
    await writeVersion(root, 2, 'other');
    await service.models.refresh();
    assert.notEqual(service.models.served()?.manifest.digest, before);
    assert.deepEqual(service.ready(), [1, 2]);
  });

  test('a removed version is followed by the next one, and the last good one answers on', async () => {
    const service = await serving(2);
    await removeVersion(root, 2);
    await service.models.refresh();
    assert.deepEqual([service.stable(), service.ready()], [1, [1]]);
    await folder.remove();
    await service.models.refresh();
    assert.equal(service.stable(), 1);
    assert.equal(reasonFor(service, 1), 'its folder is gone or has another content');
    assert.equal((await service.models.choose({}).predict(randomImage(1))).probabilities[0], 1);
  });

  test('a failure that says nothing of the files is tried again by itself, three times at most', async () => {
    const service = await serving(1, { retryMs: 2 });
    service.faults.set('v2', 'engine-lost');
    await writeVersion(root, 2);
    await service.models.refresh();
    const tries = () => service.loads.filter((name) => name === 'fashion-mlp/2').length;
    await until('three tries', () => tries() === 3);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(tries(), 3);
    assert.deepEqual(service.told.refusals, ['fashion-mlp/2 engine-lost'], 'told once');
    service.faults.clear();
    await service.models.load(NAME, 2);
    assert.equal(service.stable(), 2);
  });

  test('what is no version is named once; a staging folder is not looked at', async () => {
    const service = await serving(1);
    await mkdir(join(root, NAME, 'draft'));
    await mkdir(join(root, NAME, '.staging-x'));
    await mkdir(join(root, 'Some Folder'));
    await writeFile(join(root, 'notes.txt'), '');
    for (let look = 0; look < 3; look++) await service.models.refresh();
    const skipped = service.lines
      .filter(({ msg }) => msg.startsWith('Skipped '))
      .map(({ msg }) => msg.slice(8 + root.length));
    assert.deepEqual(skipped.sort(), [
      '/Some Folder: its name is no name of a model',
      '/fashion-mlp/draft: expected a folder named by a version number, 1 or more',
      '/notes.txt: not a folder; expected <name>/<version>/',
    ]);
  });

  test('what has gone is forgotten: it is named again when it comes again, and a model of which nothing is left is none', async () => {
    const service = await serving(1);
    await mkdir(join(root, 'hats', '1'), { recursive: true });
    for (let round = 0; round < 2; round++) {
      await mkdir(join(root, 'Some Folder'));
      await service.models.refresh();
      await rm(join(root, 'Some Folder'), { recursive: true });
      await service.models.refresh();
    }
    assert.equal(service.lines.filter(({ msg }) => msg.startsWith('Skipped ')).length, 2);
    assert.throws(() => service.models.choose({ name: 'no' }), { message: /there is: fashion-mlp, hats\.$/ });
    await rm(join(root, 'hats'), { recursive: true });
    await service.models.refresh();
    assert.throws(() => service.models.choose({ name: 'no' }), { message: /there is: fashion-mlp\.$/ });
  });

  test('a manifest that cannot be read is a fault with a reason, and the version below answers', async () => {
    const service = await serving(1);
    await mkdir(join(root, NAME, '2'));
    await writeFile(join(root, NAME, '2', 'manifest.json'), '{');
    for (let look = 0; look < 3; look++) await service.models.refresh();
    assert.equal(service.stable(), 1);
    const [fault] = service.models.faults();
    assert.equal(fault?.version, 2);
    assert.match(fault.reason, /^invalid-manifest: fashion-mlp\/2\/manifest\.json is not JSON/);
    assert.deepEqual(service.told.refusals, ['fashion-mlp/2 invalid-manifest']);
  });
});

describe('labels', () => {
  test('move who answers, without loading what is loaded', async () => {
    const service = await serving(2);
    for (const stable of [1, 2, 1]) {
      await changeLabels(root, NAME, { stable });
      await service.models.refresh();
      assert.equal(service.models.choose({ label: 'stable' }).version.version, stable);
    }
    assert.equal(service.loads.length, 2);
    assert.deepEqual(service.told.swaps, ['none to 2', '2 to 1', '1 to 2', '2 to 1']);
  });

  test('hold their versions in memory beside the newest', async () => {
    const service = await serving(5);
    assert.deepEqual(service.ready(), [4, 5]);
    await changeLabels(root, NAME, { stable: 1, canary: 2 });
    await service.models.refresh();
    assert.deepEqual(service.ready(), [1, 2, 4, 5]);
    await changeLabels(root, NAME, { stable: null, canary: null });
    await service.models.refresh();
    assert.deepEqual(service.ready(), [4, 5]);
  });

  test('on a version that cannot be served change nothing, and say so', async () => {
    const service = await serving(2);
    service.faults.set('v3', 'contract-mismatch');
    await changeLabels(root, NAME, { stable: 2 });
    await writeVersion(root, 3);
    await changeLabels(root, NAME, { stable: 3 });
    await service.models.refresh();
    assert.equal(service.stable(), 2);
    await writeLabels(root, NAME, { stable: 3, canary: null, previous: 1 });
    await service.models.refresh();
    assert.equal(service.stable(), 2, 'neither does the one before it answer');
    const { stable, serving: now } = service.models.labelsOf(NAME);
    assert.deepEqual([stable, now.stable], [3, 2]);
    assert.match(reasonFor(service, 3) ?? '', /^labelled stable, and contract-mismatch: /);
  });

  test('without a stable one, the newest answers that is not the canary', async () => {
    const service = await serving(3);
    await changeLabels(root, NAME, { canary: 3 });
    await service.models.refresh();
    assert.equal(service.stable(), 2);
    assert.equal(service.models.choose({ label: 'canary' }).version.version, 3);
  });

  test('in a file that cannot be read are the ones before it, and the fault is told once and seen', async () => {
    const service = await serving(2);
    await changeLabels(root, NAME, { stable: 1 });
    await service.models.refresh();
    await writeFile(join(root, NAME, 'labels.json'), '{"stable": 2');
    for (let look = 0; look < 3; look++) await service.models.refresh();
    assert.equal(service.stable(), 1);
    assert.match(service.models.labelsOf(NAME).fault ?? '', /^invalid-labels: fashion-mlp\/labels\.json is not JSON/);
    assert.equal(service.models.faults().length, 1);
    assert.equal(service.lines.filter(({ msg }) => msg.includes('labels.json is not JSON')).length, 1);
  });
});

describe('a choice', () => {
  test('of what there is not names what there is', async () => {
    const service = await serving(2);
    await writeVersion(root, 1, 'bag', 'bags');
    await service.models.refresh();
    const { models } = service;
    assert.throws(() => models.choose({ name: 'hats' }), {
      code: 'model-not-found',
      message: /there is: bags, fashion-mlp/,
    });
    assert.throws(() => models.choose({ version: 9 }), { code: 'model-not-found', message: /there is: 1, 2/ });
    assert.throws(() => models.choose({ label: 'canary' }), { code: 'model-not-found', message: /no canary/ });
    assert.equal(models.choose({ name: 'bags' }).version.name, 'bags');
  });

  test('of a version that is not held says so', async () => {
    const { models } = await serving(3);
    assert.throws(() => models.choose({ version: 1 }), { code: 'not-ready', message: /1 is not loaded/ });
  });

  test('holds over a swap: who was released since is replaced by who answers now', async () => {
    const service = await serving(1, { keepVersions: 1 });
    const chosen = service.models.choose({});
    await writeVersion(root, 2);
    await service.models.refresh();
    assert.equal(service.predictors.get('fashion-mlp/1')?.closed, true);
    await chosen.predict(randomImage(1));
    assert.equal(chosen.version.version, 2);
  });

  test('holds over a swap for an explanation as well: one version predicts and explains', async () => {
    const service = await serving(1, { keepVersions: 1 });
    const chosen = service.models.choose({});
    const before = await chosen.predict(randomImage(1));
    assert.equal((await chosen.explain(randomImage(1), before, 'gradient')).outputs, before);
    await writeVersion(root, 2);
    await service.models.refresh();
    const successor = service.predictors.get('fashion-mlp/2');
    assert.ok(successor);
    successor.found = 7;
    const { outputs } = await chosen.explain(randomImage(1), before, 'gradient');
    assert.equal(outputs.probabilities[7], 1);
    assert.equal(chosen.version.version, 2);
  });

  test('of a version whose engine is being restarted is refused for a while', async () => {
    const service = await serving(1);
    const predictor = service.predictors.get('fashion-mlp/1');
    assert.ok(predictor);
    predictor.ready = false;
    assert.throws(() => service.models.choose({}), { code: 'not-ready', retryAfterSeconds: 5 });
    assert.equal(service.models.statuses()[0]?.state, 'UNAVAILABLE');
  });
});

describe('several models', () => {
  test('each have a stable version, and a list restricts them', async () => {
    await writeVersion(root, 1, 'bag', 'bags');
    await writeVersion(root, 1, 'hat', 'hats');
    const all = await serving(1);
    const names = ({ models }: FakeService) =>
      models.statuses().map(({ version, labels }) => [version.name, ...labels]);
    assert.deepEqual(names(all), [
      ['bags', 'stable'],
      [NAME, 'stable'],
      ['hats', 'stable'],
    ]);
    assert.equal(all.loads[0], 'fashion-mlp/1', 'the service’s own first');
    const some = await serving(1, { models: ['hats'] });
    assert.deepEqual(names(some), [
      [NAME, 'stable'],
      ['hats', 'stable'],
    ]);
  });
});

describe('load and unload', () => {
  test('an old version is loaded and kept until it is unloaded, however often it is said', async () => {
    const service = await serving(3);
    for (let time = 0; time < 2; time++) await service.models.load(NAME, 1);
    await service.models.refresh();
    assert.deepEqual(service.ready(), [1, 2, 3]);
    for (let time = 0; time < 2; time++) await service.models.unload(NAME, 1);
    assert.deepEqual(service.ready(), [2, 3]);
  });

  test('a version that failed is tried again, and the reason is told', async () => {
    const service = await serving(1);
    service.faults.set('v2', 'digest-mismatch');
    await writeVersion(root, 2);
    const refused = {
      code: 'version-refused',
      message: /^fashion-mlp\/2 cannot be served: digest-mismatch: fashion-mlp/,
    };
    await assert.rejects(service.models.load(NAME, 2), refused);
    await assert.rejects(service.models.load(NAME), refused);
    service.faults.clear();
    await service.models.load(NAME, 2);
    assert.equal(service.stable(), 2);
    await assert.rejects(service.models.load(NAME, 7), { code: 'model-not-found' });
    await assert.rejects(service.models.load('hats'), { code: 'model-not-found' });
  });

  test('the stable version can be unloaded: the next one answers', async () => {
    const service = await serving(2);
    await service.models.unload(NAME, 2);
    assert.deepEqual([service.stable(), service.ready()], [1, [1]]);
    assert.equal(reasonFor(service, 2), 'unloaded');
    await service.models.load(NAME, 2);
    assert.equal(service.stable(), 2);
  });

  test('a whole model stays unloaded, also when a version is published, until it is asked for', async () => {
    const service = await serving(2);
    for (let time = 0; time < 2; time++) await service.models.unload(NAME);
    await writeVersion(root, 3);
    await service.models.refresh();
    assert.throws(() => service.models.readyPredictor(), { code: 'not-ready', message: /is unloaded/ });
    assert.deepEqual(service.ready(), []);
    await service.models.load(NAME);
    assert.deepEqual([service.stable(), service.ready()], [3, [2, 3]]);
  });

  test('many at once end in what is asked for last', async () => {
    const service = await serving(3);
    await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        index % 2 === 0 ? service.models.load(NAME, 1) : service.models.unload(NAME, 1),
      ),
    );
    await service.models.load(NAME, 1);
    assert.deepEqual(service.ready(), [1, 2, 3]);
    assert.equal([...service.predictors.values()].filter(({ closed }) => !closed).length, 3);
  });
});

describe('a service that stops', () => {
  test('is unready at once, answers on, and then lets go of everything, also of what is being loaded', async () => {
    const service = await serving(2);
    service.models.announceStop();
    assert.throws(() => service.models.readyPredictor(), { code: 'shutting-down' });
    for (const choice of [{}, { version: 1 }]) {
      const chosen = service.models.choose(choice);
      assert.equal(chosen.ready, false, 'whoever asks for one model is told the same');
      await chosen.predict(randomImage(1));
    }
    await service.models.close();
    assert.throws(() => service.models.choose({}), { code: 'shutting-down' });
    assert.ok([...service.predictors.values()].every(({ closed }) => closed));

    const other = serveFakes(root);
    let open: (() => void) | undefined;
    other.gate.current = new Promise<void>((resolve) => (open = resolve));
    const started = other.models.start();
    while (other.loads.length === 0) await new Promise(setImmediate);
    const closed = other.models.close();
    open?.();
    await Promise.all([started, closed]);
    assert.deepEqual(other.loads, ['fashion-mlp/2']);
    assert.ok([...other.predictors.values()].every((predictor) => predictor.closed));
  });
});
