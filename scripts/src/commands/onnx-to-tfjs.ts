import { convert } from '@atelier/onnx-to-tfjs';
import { readOnnxModel, writeLayersModel } from '@atelier/onnx-to-tfjs/node';
import { Command } from '@commander-js/extra-typings';
import { note, print, printJson } from '../output.ts';

export function onnxToTfjsCommand() {
  return new Command('onnx-to-tfjs')
    .description('Convert an ONNX network to a TensorFlow.js LayersModel that can be trained on.')
    .argument('<model.onnx>', 'the network; weights in other files lie beside it')
    .argument('<out-dir>', 'model.json and weights.bin, written beside and renamed, so never half')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', '\nExample:\n  npm run --silent onnx-to-tfjs -- models/fashion-mlp/2/model.onnx out/ --json')
    .action(async (source, target, { json }) => {
      const { artifacts, summary } = convert(await readOnnxModel(source));
      await writeLayersModel(target, artifacts);
      for (const warning of summary.warnings) note(`Warning: ${warning}`);
      if (json) printJson(summary);
      else print(described(target, summary));
    });
}

/** One line for people, and one for each input whose axes stand in another order than in the graph. */
function described(target: string, { inputs, layers, parameters }: ReturnType<typeof convert>['summary']): string {
  const count = Object.values(layers).reduce((total, number) => total + number, 0);
  const moved = inputs.filter(({ permutation }) => permutation.some((axis, index) => axis !== index));
  return [
    `${target}: ${count} layers, ${parameters} parameters`,
    ...moved.map(
      ({ layer, shape, permutation }) =>
        `Input ${layer} is [${shape.map((size) => size ?? '?').join(', ')}]: axes ${permutation.join(', ')} of the graph's`,
    ),
  ].join('\n');
}
