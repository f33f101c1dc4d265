import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT, classificationMetrics, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type EvaluatedBatch, type EvaluationFacts, EvaluationReport, EvaluationTally } from '@atelier/evaluation';
import fc from 'fast-check';
import { answeredBatch, type Answered, EVALUATION_FACTS } from '../../support/answered-batches.ts';

const answered = fc.record({
  label: fc.nat(9),
  predicted: fc.nat(9),
  confidence: fc.double({ min: 0.2, max: 1, noNaN: true }),
  againstPredicted: fc.nat(9),
  abstained: fc.boolean(),
});

/** Images with names that tell them apart. */
const images = fc
  .array(answered, { minLength: 1, maxLength: 60 })
  .map((all): Answered[] => all.map((each, index) => ({ ...each, name: `${index}.png` })));

function reportOf(batches: readonly EvaluatedBatch[], facts: Partial<EvaluationFacts> = {}) {
  const tally = new EvaluationTally({ compares: true, abstains: true, mistakes: 5, differing: 5 });
  for (const batch of batches) tally.add(batch);
  const against = { ...EVALUATION_FACTS.model, version: 1 };
  return tally.report({ ...EVALUATION_FACTS, against, ...facts });
}

function cutInto<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

describe('an evaluation counted batch by batch', () => {
  test('says what the metrics of all images at once say', () => {
    fc.assert(
      fc.property(images, fc.integer({ min: 1, max: 20 }), (all, size) => {
        const report = reportOf(cutInto(all, size).map(answeredBatch));
        const whole = answeredBatch(all);
        const { count, loss, ...expected } = classificationMetrics(whole.probabilities, whole.labels);
        assert.equal(report.examples, count);
        assert.ok(Math.abs(report.loss - loss) < 1e-9);
        for (const [name, value] of Object.entries(expected)) {
          if (name !== 'calibrationError') assert.deepEqual(report[name as keyof typeof expected], value, name);
        }
        assert.ok(Math.abs(report.calibrationError - expected.calibrationError) < 1e-9);
      }),
    );
  });

  test('is the same in any order of the batches, with the images that it lists', () => {
    fc.assert(
      fc.property(images, fc.integer({ min: 1, max: 9 }), (all, size) => {
        const batches = cutInto(all, size).map(answeredBatch);
        const [forwards, backwards] = [reportOf(batches), reportOf(batches.toReversed())];
        assert.deepEqual(forwards.mistakes, backwards.mistakes);
        assert.deepEqual(forwards.abstentions, backwards.abstentions);
        assert.deepEqual(forwards.confusionMatrix, backwards.confusionMatrix);
        assert.deepEqual(forwards.comparison?.differing, backwards.comparison?.differing);
        assert.deepEqual(forwards.comparison?.mcnemar, backwards.comparison?.mcnemar);
      }),
    );
  });

  test('keeps to the schema, through JSON as well', () => {
    fc.assert(
      fc.property(images, (all) => {
        const report = reportOf([answeredBatch(all)]);
        assert.deepEqual(EvaluationReport.parse(JSON.parse(JSON.stringify(report))), report);
      }),
      { numRuns: 30 },
    );
  });
});

describe('what an evaluation reports', () => {
  const four: Answered[] = [
    { name: 'a', label: 0, predicted: 0, confidence: 0.9, againstPredicted: 0 },
    { name: 'b', label: 1, predicted: 0, confidence: 0.6, againstPredicted: 1 },
    { name: 'c', label: 1, predicted: 1, confidence: 0.8, againstPredicted: 1, abstained: true },
    { name: 'd', label: 1, predicted: 2, confidence: 0.7, againstPredicted: 3 },
  ];

  test('are means over the classes that there are, as scikit-learn has them', () => {
    const report = reportOf([answeredBatch(four)]);
    // Recalls: 1 of class 0, 1/3 of class 1. F1: 2/3, 1/2, and 0 of class 2, which is predicted and never true.
    assert.ok(Math.abs(report.balancedAccuracy - (1 + 1 / 3) / 2) < 1e-12);
    assert.ok(Math.abs(report.macroF1 - (2 / 3 + 1 / 2 + 0) / 3) < 1e-12);
    assert.ok(Math.abs(report.weightedF1 - (2 / 3 + (3 * 1) / 2) / 4) < 1e-12);
  });

  test('is how often the true class is among the three most probable, the first of equals first', () => {
    // The classes beside the predicted one are equally probable: the first two of them are second and third.
    const ranks = [0, 1, 2, 3].map((label) => ({ name: `${label}`, label, predicted: 9, confidence: 0.5 }));
    const tally = new EvaluationTally();
    tally.add(answeredBatch(ranks));
    assert.equal(tally.report(EVALUATION_FACTS).topThreeAccuracy, 2 / 4);
    assert.equal(reportOf([answeredBatch(four)]).topThreeAccuracy, 1);
  });

  test('are the most confident mistakes, the most confident first, with the picture that the model saw', () => {
    const { mistakes } = reportOf([answeredBatch(four)]);
    assert.equal(mistakes.count, 2);
    assert.deepEqual(
      mistakes.shown.map(({ name, actual, predicted }) => [name, actual, predicted]),
      [
        ['d', 'Trouser', 'Pullover'],
        ['b', 'Trouser', 'T-shirt/top'],
      ],
    );
    assert.equal(mistakes.shown[0]?.top.length, 3);
    assert.equal(mistakes.shown[0]?.top[0]?.label, 'Pullover');
    assert.match(mistakes.shown[0]?.preview ?? '', /^data:image\/png;base64,iVBORw0KGgo/);
  });

  test('are abstentions and the accuracy of the other answers, and null for a version that cannot abstain', () => {
    assert.deepEqual(reportOf([answeredBatch(four)]).abstentions, {
      count: 1,
      share: 1 / 4,
      accuracyOfAnswered: 1 / 3,
    });
    const tally = new EvaluationTally();
    tally.add(answeredBatch([{ name: 'a', label: 0, predicted: 0, confidence: 0.9 }]));
    assert.equal(tally.report(EVALUATION_FACTS).abstentions, null);
  });

  test('are the images on which two versions differ, and who is right how often', () => {
    const { comparison } = reportOf([answeredBatch(four)]);
    assert.equal(comparison?.accuracyDifference, -1 / 4);
    assert.deepEqual(
      [comparison.bothRight, comparison.onlyModelRight, comparison.onlyAgainstRight, comparison.bothWrong],
      [2, 0, 1, 1],
    );
    assert.equal(comparison.metrics.accuracy, 3 / 4);
    assert.equal(comparison.differing.count, 2);
    assert.deepEqual(
      comparison.differing.shown.map(({ name, predicted, againstPredicted }) => [name, predicted, againstPredicted]),
      [
        ['d', 'Pullover', 'Dress'],
        ['b', 'T-shirt/top', 'Trouser'],
      ],
    );
  });

  test('are unreadable entries: all of them counted by their codes, the first ones listed', () => {
    const tally = new EvaluationTally({ unreadable: 2 });
    tally.add(answeredBatch([{ name: 'a', label: 0, predicted: 0, confidence: 0.9 }]));
    for (const code of ['undecodable-image', 'image-too-large', 'image-too-large']) {
      tally.skip({ name: `${code}.png`, code, message: 'It could not be read.' });
    }
    const { unreadable, examples } = tally.report(EVALUATION_FACTS);
    assert.equal(examples, 1);
    assert.equal(unreadable.count, 3);
    assert.deepEqual(unreadable.byCode, { 'image-too-large': 2, 'undecodable-image': 1 });
    assert.deepEqual(
      unreadable.shown.map(({ name }) => name),
      ['undecodable-image.png', 'image-too-large.png'],
    );
  });

  test('are names of which the middle is left out where they are very long', () => {
    const tally = new EvaluationTally();
    tally.add(
      answeredBatch([{ name: `folder/${'x'.repeat(60_000)}/last.png`, label: 1, predicted: 0, confidence: 0.9 }]),
    );
    const [mistake] = tally.report(EVALUATION_FACTS).mistakes.shown;
    assert.match(mistake?.name ?? '', /^folder\/x+…x+\/last\.png$/);
    assert.ok((mistake?.name.length ?? Infinity) <= 512);
  });
});

describe('an evaluation refuses', () => {
  const batch = answeredBatch([{ name: 'a', label: 0, predicted: 0, confidence: 0.9 }]);

  test('to report on no image at all, and says what became of the first', () => {
    const tally = new EvaluationTally();
    assert.throws(() => tally.report(EVALUATION_FACTS), { code: 'no-examples', message: /has no images/ });
    tally.skip({ name: 'a.png', code: 'undecodable-image', message: 'It is no picture.' });
    assert.throws(() => tally.report(EVALUATION_FACTS), {
      code: 'no-examples',
      message: /"a\.png": It is no picture\./,
    });
  });

  test('a batch whose parts do not fit each other, and counts nothing of it', () => {
    const tally = new EvaluationTally();
    assert.throws(() => tally.add({ ...batch, names: [] }), /0 names for 1 labels; expected 1/);
    assert.throws(() => tally.add({ ...batch, images: new Uint8Array(3) }), /3 bytes of images .* 784/);
    assert.throws(() => tally.add({ ...batch, labels: Uint8Array.of(10) }), /Label 10 in row 0/);
    assert.throws(() => tally.add({ ...batch, abstained: [] }), /0 abstentions/);
    assert.throws(() => tally.add({ ...batch, against: new Float32Array(CLASS_COUNT) }), /other version.*expected 0/);
    assert.equal(tally.examples, 0);
  });

  test('a batch without the other version where two are compared', () => {
    const tally = new EvaluationTally({ compares: true });
    assert.throws(() => tally.add(batch), /0 probabilities of the other version for 1 labels; expected 10/);
  });
});

test('the pictures of a report are copies: a batch may be used again', () => {
  const batch = answeredBatch([{ name: 'a', label: 1, predicted: 0, confidence: 0.9 }]);
  const [first, second] = [new EvaluationTally(), new EvaluationTally()];
  for (const tally of [first, second]) tally.add(batch);
  const before = first.report(EVALUATION_FACTS).mistakes;
  batch.images.fill(255, 0, PIXELS_PER_IMAGE);
  assert.deepEqual(second.report(EVALUATION_FACTS).mistakes, before);
});
