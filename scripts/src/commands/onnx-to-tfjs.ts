import { convert } from '@atelier/onnx-to-tfjs';
import { readOnnxModel, writeLayersModel } from '@atelier/onnx-to-tfjs/node';
import { Command } from '@commander-js/extra-typings';
import { note, print, printJson } from '../output.ts';
import { verifyLayersModel } from '../verification/verify-layers-model.ts';
import type { Verification } from '../verification/verify-conversion.ts';

export function onnxToTfjsCommand() {
  return new Command('onnx-to-tfjs')
    .description('Convert an ONNX network to a TensorFlow.js LayersModel that can be trained on.')
    .argument('<model.onnx>', 'the network; weights in other files lie beside it')
    .argument('<out-dir>', 'model.json and weights.bin, written beside and renamed, so never half')
    .option('--verify', 'run both on random inputs first, and write nothing where they differ')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', '\nExample:\n  npm run --silent onnx-to-tfjs -- models/fashion-mlp/2/model.onnx out/ --json')
    .action(async (source, target, { verify, json }) => {
      const model = await readOnnxModel(source);
      const conversion = convert(model);
      const verification = verify ? await verifyLayersModel(conversion, { path: source, model }) : null;
      if (verification?.verified === false) throw new Error(`Nothing was written: ${verification.reason}`);
      await writeLayersModel(target, conversion.artifacts);
      const { summary } = conversion;
      for (const warning of summary.warnings) note(`Warning: ${warning}`);
      if (json) printJson(verification === null ? summary : { ...summary, verification });
      else print(described(target, summary, verification));
    });
}

/** One line for people, and one for each input whose axes stand in another order than in the graph. */
function described(
  target: string,
  { inputs, layers, parameters }: ReturnType<typeof convert>['summary'],
  verification: Verification | null,
): string {
  const count = Object.values(layers).reduce((total, number) => total + number, 0);
  const moved = inputs.filter(({ permutation }) => permutation.some((axis, index) => axis !== index));
  return [
    `${target}: ${count} layers, ${parameters} parameters`,
    ...moved.map(
      ({ layer, shape, permutation }) =>
        `Input ${layer} is [${shape.map((size) => size ?? '?').join(', ')}]: axes ${permutation.join(', ')} of the graph's`,
    ),
    ...(verification === null
      ? []
      : [
          `Differs from onnxruntime by at most ${verification.largestDifference?.toExponential(1)} of the largest output ` +
            `(TensorFlow.js on ${verification.backend})`,
        ]),
  ].join('\n');
}
