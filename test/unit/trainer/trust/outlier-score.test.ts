import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT } from '@atelier/domain';
import { type Examples, slice } from '@atelier/fashion-mnist';
import { decodeModel, encodeModel, value } from '@atelier/onnx';
import { fitTrust, OnnxModel } from '@atelier/trainer';
import { EigenvalueDecomposition, inverse, Matrix } from 'ml-matrix';
import { deepClassifier } from '../../../support/deep-classifier.ts';
import { drawnExamples } from '../../../support/drawn-examples.ts';

/** More than the 64 directions that are kept, so that something is left over. */
const UNITS = 90;
const DIRECTIONS = 64;

const published = decodeModel(deepClassifier([784, UNITS, CLASS_COUNT]).onnx, 'test');
const examples = drawnExamples(1500, 3);
const train = slice(examples, 0, 1200);
const validation = slice(examples, 1200, 1500);

/** What the last layer reads, [count, 90], in float64. */
async function featuresOf({ images }: Examples): Promise<Matrix> {
  const { graph } = published;
  const outputs = [...graph.outputs, value('layer-1', 'float32', ['batch', UNITS])];
  const model = await OnnxModel.open(encodeModel({ ...published, graph: { ...graph, outputs } }));
  const { 'layer-1': values } = await model.outputs(images, { 'layer-1': UNITS });
  await model.release();
  return Matrix.from1DArray(values.length / UNITS, UNITS, [...values]);
}

const covarianceOf = (rows: Matrix) => rows.transpose().mmul(rows).div(rows.rows);

/** What the score is by its definition: Mahalanobis distances with inverted covariances, and all eigenvectors. */
async function scoresByDefinition(images: Examples): Promise<number[]> {
  const known = await featuresOf(train);
  const mean = known.mean('column');
  const centred = known.clone().subRowVector(mean);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covarianceOf(centred), {
    assumeSymmetric: true,
  });
  const order = [...realEigenvalues.keys()].sort((a, b) => (realEigenvalues[b] ?? 0) - (realEigenvalues[a] ?? 0));
  const directions = eigenvectorMatrix.subMatrixColumn(order.slice(0, DIRECTIONS));
  const components = centred.mmul(directions);
  const classes = Array.from({ length: CLASS_COUNT }, (_, label) =>
    components.subMatrixRow([...train.labels.keys()].filter((row) => train.labels[row] === label)).mean('column'),
  );
  const within = Matrix.sub(components, new Matrix([...train.labels].map((label) => classes[label] ?? [])));
  const [inClass, inAll] = [inverse(covarianceOf(within)), inverse(covarianceOf(components))];
  const squared = (row: Matrix, by: Matrix) => row.mmul(by).mmul(row.transpose()).get(0, 0);
  const energy = covarianceOf(known).trace();

  const partsOf = async (of: Examples) => {
    const features = await featuresOf(of);
    return features.to2DArray().map((values) => {
      const row = Matrix.rowVector(values);
      const from = Matrix.sub(row, Matrix.rowVector(mean));
      const component = from.mmul(directions);
      const nearest = classes.map((each) => squared(Matrix.sub(component, Matrix.rowVector(each)), inClass));
      const residual = from.dot(from) - component.dot(component);
      return [Math.min(...nearest) - squared(component, inAll), residual / (row.dot(row) + 0.01 * energy)];
    });
  };
  const seen = await partsOf(validation);
  const moments = [0, 1].map((part) => {
    const values = seen.map((each) => each[part] ?? 0);
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    return { mean, deviation: Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length) };
  });
  return (await partsOf(images)).map((parts) =>
    moments.reduce((sum, { mean, deviation }, part) => sum + ((parts[part] ?? 0) - mean) / deviation, 0),
  );
}

describe('the outlier score in a graph', () => {
  test('is the relative Mahalanobis distance and the share of the features outside of what is usual, each in its own deviations', async () => {
    const { model } = await fitTrust(published, { train, validation });
    const graph = await OnnxModel.open(model);
    const noise = drawnExamples(50, 9, 1);
    noise.images.forEach((pixel, place) => (noise.images[place] = (pixel * 7 + place * 31) % 256));
    for (const images of [slice(validation, 0, 50), noise]) {
      const { outlierScores } = await graph.predict(images.images);
      const expected = await scoresByDefinition(images);
      expected.forEach((score, row) => {
        const difference = Math.abs((outlierScores?.[row] ?? NaN) - score);
        // The graph computes in float32 with directions of an iteration that ends; a wrong term is off by far more.
        assert.ok(
          difference < 0.02 * Math.max(1, Math.abs(score)),
          `row ${row}: ${outlierScores?.[row]}, not ${score}`,
        );
      });
    }
    await graph.release();
  });

  test('leaves the logits what they were, and gives the softmax of the logits over the temperature', async () => {
    const { model, temperature, trust } = await fitTrust(published, { train, validation });
    assert.notEqual(temperature, 1);
    const [before, after] = [await OnnxModel.open(encodeModel(published)), await OnnxModel.open(model)];
    const { images } = slice(validation, 0, 20);
    const [old, now] = [await before.predict(images), await after.predict(images)];
    assert.deepEqual(now.logits, old.logits);
    for (let row = 0; row < 20; row++) {
      const weights = [...now.logits.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT)].map((logit) =>
        Math.exp(logit / temperature),
      );
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, index) => {
        assert.ok(Math.abs((now.probabilities[row * CLASS_COUNT + index] ?? NaN) - weight / total) < 1e-6);
      });
    }
    const share = [...((await after.predict(validation.images)).outlierScores ?? [])].filter(
      (score) => score <= trust.outliers.threshold,
    );
    assert.equal(share.length / validation.count, trust.outliers.passRate);
    await before.release();
    await after.release();
  });

  test('is the same to the last bit when it is fitted again, and when what it was fitted to had one already', async () => {
    const first = await fitTrust(published, { train, validation });
    const again = await fitTrust(published, { train, validation });
    assert.deepEqual(Buffer.from(again.model), Buffer.from(first.model));
    const onTop = await fitTrust(decodeModel(first.model, 'first'), { train, validation });
    assert.deepEqual(Buffer.from(onTop.model), Buffer.from(first.model));
  });

  test('is a number for a network whose units never fire', async () => {
    const { graph } = published;
    const dead = graph.initializers.map((tensor) =>
      tensor.name === 'weights-0' || tensor.name === 'biases-0'
        ? { ...tensor, data: new Uint8Array(tensor.data.length) }
        : tensor,
    );
    const { model, trust } = await fitTrust(
      { ...published, graph: { ...graph, initializers: dead } },
      { train, validation },
    );
    const loaded = await OnnxModel.open(model);
    const { outlierScores = [] } = await loaded.predict(validation.images);
    assert.ok([...outlierScores].every(Number.isFinite));
    assert.ok(Number.isFinite(trust.outliers.threshold));
    await loaded.release();
  });
});
