/**
 * How the names of stored weights are matched with the topology's. Those that write `model.json` disagree: TensorFlow.js
 * has `dense/kernel`; TensorFlow adds its output number (`dense/kernel:0`) and, since 2.2, the name of a cell
 * (`lstm/lstm_cell_3/kernel`); Keras 3 puts the models in front (`sequential/dense/kernel`, `outer/inner/dense/kernel`).
 */

/**
 * How close a stored name is to `layer/part`: 0 where it is the same, 1 where it is that of a layer of the model itself, 2
 * where other models stand in front; undefined where they are of different weights.
 */
export function closeness(stored: string, wanted: string, modelName: string): number | undefined {
  if (stored === wanted) return 0;
  const plain = withoutOutputNumber(stored);
  const inModel = plain.startsWith(`${modelName}/`) ? plain.slice(modelName.length + 1) : plain;
  if ([plain, inModel, withoutCell(inModel)].includes(wanted)) return 1;
  if ([plain, withoutCell(plain)].some((name) => name.endsWith(`/${wanted}`))) return 2;
  return undefined;
}

/** What a weight is looked up by: every `wanted` that its name is close to has one of these endings. */
export function endingsOf(stored: string): string[] {
  const plain = withoutOutputNumber(stored);
  return [...new Set([stored, plain, withoutCell(plain)].map(endingOf))];
}

/** The last two parts of a name. */
export function endingOf(name: string): string {
  return name.split('/').slice(-2).join('/');
}

/** Weights that no layer ever takes: the state of a Keras 3 generator of random numbers. */
export function isGeneratorState(stored: string): boolean {
  return /(^|\/)(seed_generator(_\d+)?\/|seed_generator_state(:\d+)?$)/.test(stored);
}

function withoutOutputNumber(name: string): string {
  return name.replace(/:\d+$/, '');
}

/** Without the part before the last one. */
function withoutCell(name: string): string {
  const parts = name.split('/');
  return [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
}
