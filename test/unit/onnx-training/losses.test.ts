import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crossEntropy, differentiate, GraphBuilder, softCrossEntropy } from '@atelier/onnx-training';
import { data, variable } from '../../support/gradients/example.ts';
import { runGraph } from '../../support/gradients/run-graph.ts';
import { tensor64 } from '../../support/gradients/tensor64.ts';

const LOGITS = [
  [1, -0.5, 2],
  [0.25, 0, -1],
];
const LABELS = [2, 0];

/** The loss and its gradient by the logits, as a graph on onnxruntime. */
async function found(labelSmoothing: number) {
  const graph = new GraphBuilder();
  const [logits, labels] = [graph.input('logits', 'float32', [2, 3]), graph.input('labels', 'int64', [2])];
  const loss = crossEntropy(graph, logits, labels, labelSmoothing);
  const { builder, gradients } = differentiate(graph.graph('forward', [loss]), { loss, withRespectTo: [logits] });
  const gradient = gradients.get(logits) ?? '';
  const results = await runGraph(builder.graph('gradients', [loss, gradient]), 17, {
    logits: variable(tensor64([2, 3], LOGITS.flat())),
    labels: data(tensor64([2], LABELS), 'int64'),
  });
  return [...(results[loss]?.data ?? []), ...(results[gradient]?.data ?? [])];
}

/** The same by its definition: −Σ target·log softmax, the mean over the batch; and (softmax − target)/batch. */
function expected(labelSmoothing: number): number[] {
  const rows = LOGITS.map((row, index) => {
    const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return row.map((logit, label) => ({
      probability: Math.exp(logit) / total,
      target: labelSmoothing / 3 + (label === LABELS[index] ? 1 - labelSmoothing : 0),
    }));
  });
  const all = rows.flat();
  const loss = all.reduce((sum, { probability, target }) => sum - target * Math.log(probability), 0) / 2;
  return [loss, ...all.map(({ probability, target }) => (probability - target) / 2)];
}

describe('cross-entropy', () => {
  for (const labelSmoothing of [0, 0.1, 0.6]) {
    test(`is what its definition says, as is its gradient, with label smoothing ${labelSmoothing}`, async () => {
      const [numbers, definition] = [await found(labelSmoothing), expected(labelSmoothing)];
      assert.equal(numbers.length, definition.length);
      for (const [index, number] of definition.entries()) {
        assert.ok(Math.abs((numbers[index] ?? NaN) - number) < 1e-6, `${index}: ${numbers[index]} is not ${number}`);
      }
    });
  }

  test('refuses a label smoothing that is no share below 1', () => {
    const graph = new GraphBuilder();
    const [logits, labels] = [graph.input('logits', 'float32', [2, 3]), graph.input('labels', 'int64', [2])];
    for (const share of [-0.1, 1, NaN]) {
      assert.throws(() => crossEntropy(graph, logits, labels, share), {
        name: 'RangeError',
        message: `Label smoothing ${share}; expected a number from 0 to below 1.`,
      });
    }
  });

  test('refuses targets that do not fit the logits', () => {
    const graph = new GraphBuilder();
    const [logits, targets] = [graph.input('logits', 'float32', [2, 3]), graph.input('targets', 'float32', [3, 2])];
    assert.throws(() => softCrossEntropy(graph, logits, targets), { code: 'malformed-onnx' });
  });
});
