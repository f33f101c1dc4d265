import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { argmax, type Distillation, parseRecipe } from '@atelier/domain';
import { type TrainingExamples, withTargets } from '@atelier/fashion-mnist';
import { digestOf } from '@atelier/model-repository';
import {
  CONVOLUTIONAL_TEACHER,
  createOnnxEngine,
  evaluate,
  findRecipe,
  fit,
  frozenNetwork,
  type NetworkRecipe,
  readTeacher,
  Teacher,
  TEACHERS_DIRECTORY,
  trainTeacher,
} from '@atelier/trainer';
import { drawnDataset } from '../../support/drawn-dataset.ts';
import { drawnExamples } from '../../support/drawn-examples.ts';
import { smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CONVOLUTIONAL: NetworkRecipe = {
  ...smallRecipe({ name: 'small-convolutional', epochs: 4 }),
  convolutions: [
    { channels: 4, kernel: 5, stride: 2 },
    { channels: 6, kernel: 3, stride: 1 },
  ],
};
const examples = drawnExamples(200, 3);

describe('a teacher with convolutions', () => {
  test('trains, and its file gives the logits of the engine', async () => {
    const engine = await createOnnxEngine(CONVOLUTIONAL, { threads: 1 });
    const indices = Uint32Array.from({ length: 200 }, (_, index) => index);
    const data = { examples, train: indices.subarray(0, 160), validation: indices.subarray(160) };
    const { history } = await fit(engine, data, CONVOLUTIONAL);
    assert.ok((history.at(-1)?.validation.accuracy ?? 0) > 0.9, JSON.stringify(history.at(-1)?.validation));
    const expected = await engine.logits(examples);
    const teacher = await opened(frozenNetwork(CONVOLUTIONAL, await engine.snapshot()), {});
    const answers = await teacher.teach(withTargets(examples, 0));
    await teacher.release();
    await engine.dispose();
    for (let row = 0; row < examples.count; row++) {
      const probabilities = softmax(expected.subarray(row * 10, row * 10 + 10), 1);
      answers.targets.subarray(row * 10, row * 10 + 10).forEach((target, index) => {
        assert.ok(Math.abs(target - (probabilities[index] ?? 0)) < 1e-5, `row ${row}, class ${index}: ${target}`);
      });
    }
  });

  test('is the same bytes when it is trained again', async () => {
    const recipe = { ...CONVOLUTIONAL, epochs: 1 };
    const [first, second] = [await trainTeacher(recipe, drawnDataset()), await trainTeacher(recipe, drawnDataset())];
    assert.deepEqual(first.model, second.model);
    assert.equal(first.history.length, 1);
  });
});

describe('a teacher', () => {
  let file: Uint8Array = new Uint8Array();
  before(async () => {
    ({ model: file } = await trainTeacher({ ...CONVOLUTIONAL, epochs: 2 }, drawnDataset()));
  });

  test('gives its share of each target, by its temperature, and leaves what it was given', async () => {
    const given = withTargets(examples, 0.1);
    const before = given.targets.slice();
    const whole = await taught(file, given, {});
    const soft = await taught(file, given, { temperature: 4 });
    const mixed = await taught(file, given, { share: 0.25 });
    assert.deepEqual(given.targets, before);
    assert.equal(whole.images, given.images);
    assert.equal(whole.count, given.count);
    for (let start = 0; start < before.length; start += 10) {
      const row = (targets: Float32Array) => targets.subarray(start, start + 10);
      const logits = row(whole.targets).map(Math.log);
      closeTo(row(soft.targets), softmax(logits, 4), 1e-4);
      closeTo(
        row(mixed.targets),
        row(before).map((target, index) => 0.75 * target + 0.25 * (whole.targets[start + index] ?? NaN)),
        1e-6,
      );
      closeTo([row(whole.targets).reduce((a, b) => a + b, 0)], [1], 1e-6);
    }
  });

  test('is who a network learns from: all labels wrong, and it answers as the teacher does', async () => {
    const wrong = { ...examples, labels: examples.labels.map((label) => (label + 1) % 10) };
    const indices = Uint32Array.from({ length: 200 }, (_, index) => index);
    const data = { examples: wrong, train: indices.subarray(0, 160), validation: indices.subarray(160) };
    const { model } = await trainTeacher(CONVOLUTIONAL, drawnDataset());
    const teacher = await opened(model, {});
    const recipe = smallRecipe({ epochs: 8 });
    const engine = await createOnnxEngine(recipe, { threads: 1 });
    await fit(engine, data, recipe, { teacher });
    const { accuracy } = await evaluate(engine, examples);
    await teacher.release();
    await engine.dispose();
    assert.ok(accuracy > 0.9, `${accuracy} agree with the right labels, which nobody but the teacher knew`);
  });

  test('that is no graph is refused', async () => {
    await assert.rejects(opened(new Uint8Array(100), {}), { code: 'contract-mismatch', message: /"someone"/ });
  });
});

describe("a teacher's file", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());
  const named = (bytes: Uint8Array): Distillation => settings({ digest: digestOf(bytes) });

  test('is read by its name and compared with its digest', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    await writeFile(join(folder.path, 'someone.onnx'), bytes);
    assert.deepEqual(new Uint8Array(await readTeacher(named(bytes), folder.path)), bytes);
    await assert.rejects(readTeacher(named(Uint8Array.of(1)), folder.path), {
      code: 'digest-mismatch',
      message: new RegExp(`someone.onnx has digest ${digestOf(bytes)}; the recipe expects sha256:`),
    });
  });

  test('that is missing is refused with the list of those there are', async () => {
    await cp(join(folder.path, 'someone.onnx'), join(folder.path, 'another.onnx'));
    await assert.rejects(readTeacher({ ...settings({}), teacher: 'nobody' }, folder.path), {
      code: 'teacher-not-found',
      message: /nobody\.onnx.*There is: another, someone\./,
    });
    await assert.rejects(readTeacher(settings({}), join(folder.path, 'nowhere')), { message: /There is: none\./ });
  });

  test('cannot lie elsewhere', () => {
    const recipe = { ...findRecipe('ann-128'), distillation: settings({}) };
    assert.throws(() => parseRecipe({ ...recipe, distillation: { ...settings({}), teacher: '../someone' } }), {
      code: 'invalid-recipe',
      message: /distillation\.teacher/,
    });
  });
});

describe('the teacher that we ship', () => {
  test('is the one that atelier names, and knows nothing of the images that validate it', async () => {
    const recipe = findRecipe('atelier');
    assert.ok(recipe.distillation);
    const bytes = await readTeacher(recipe.distillation, TEACHERS_DIRECTORY);
    assert.deepEqual(
      [CONVOLUTIONAL_TEACHER.seed, CONVOLUTIONAL_TEACHER.validationShare],
      [recipe.seed, recipe.validationShare],
      'the same split',
    );
    const teacher = await opened(bytes, {});
    const { targets } = await teacher.teach(withTargets(drawnExamples(10), 0));
    await teacher.release();
    assert.ok(targets.every((target) => target >= 0 && target <= 1));
    assert.ok(argmax(targets.subarray(0, 10)) >= 0);
  });
});

function settings(change: Partial<Distillation>): Distillation {
  return { teacher: 'someone', digest: `sha256:${'0'.repeat(64)}`, share: 1, temperature: 1, ...change };
}

function opened(bytes: Uint8Array, change: Partial<Distillation>): Promise<Teacher> {
  return Teacher.open(bytes, settings(change));
}

async function taught(bytes: Uint8Array, given: TrainingExamples, change: Partial<Distillation>) {
  const teacher = await opened(bytes, change);
  const result = await teacher.teach(given);
  await teacher.release();
  return result;
}

function softmax(logits: Float32Array, temperature: number): number[] {
  const exponentials = [...logits].map((logit) => Math.exp(logit / temperature));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((exponential) => exponential / sum);
}

function closeTo(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  for (let index = 0; index < expected.length; index++) {
    const [a = NaN, b = NaN] = [found[index], expected[index]];
    assert.ok(Math.abs(a - b) <= tolerance, `[${index}]: ${a}; expected ${b}`);
  }
}
