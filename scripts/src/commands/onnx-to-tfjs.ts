import type { OnnxModel } from '@atelier/onnx';
import { type Conversion, convert } from '@atelier/onnx-to-tfjs';
import { readOnnxModel, writeLayersModel } from '@atelier/onnx-to-tfjs/node';
import { subgraph } from '@atelier/onnx-training';
import { Command } from '@commander-js/extra-typings';
import { listOf } from '../arguments.ts';
import { note, print, printJson } from '../output.ts';
import type { Verification } from '../verification/verify-conversion.ts';

export function onnxToTfjsCommand() {
  return new Command('onnx-to-tfjs')
    .description('Convert an ONNX network to a TensorFlow.js LayersModel that can be trained on.')
    .argument('<model.onnx>', 'the network; weights in other files lie beside it')
    .argument('<out-dir>', 'model.json and weights.bin, written beside and renamed, so never half')
    .option('--outputs <names>', 'convert only what these outputs need, with commas between', listOf(String))
    .option('--verify', 'run both on random inputs first, and write nothing where they differ')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (source, target, { outputs, verify = false, json = false }) => {
      const whole = await readOnnxModel(source);
      const model = outputs === undefined ? whole : { ...whole, graph: subgraph(whole.graph, outputs) };
      const conversion = convert(model);
      const { artifacts, summary } = conversion;
      for (const warning of summary.warnings) note(`Warning: ${warning}`);
      const verification = verify ? await verified(conversion, source, model) : undefined;
      const isKept = verification?.verified ?? true;
      if (isKept) await writeLayersModel(target, artifacts);
      else process.exitCode = 1;
      if (json) printJson({ ...summary, ...(verification && { verification }) });
      else for (const line of described(target, summary, verification)) print(line);
    });
}

/** Loaded here, because a conversion itself needs neither runtime. */
async function verified(conversion: Conversion, path: string, model: OnnxModel): Promise<Verification> {
  const { verifyLayersModel } = await import('../verification/verify-layers-model.ts');
  return verifyLayersModel(conversion, { path, model });
}

/** What was written, or why nothing was; and each input whose axes stand in another order than in the graph. */
function described(
  target: string,
  { inputs, layers, parameters }: Conversion['summary'],
  verification: Verification | undefined,
): string[] {
  if (verification?.verified === false) return [`${verification.reason} No file was written.`];
  const count = Object.values(layers).reduce((total, number) => total + number, 0);
  const moved = inputs.filter(({ permutation }) => permutation.some((axis, index) => axis !== index));
  return [
    `${target}: ${count} layers, ${parameters} parameters`,
    ...moved.map(
      ({ layer, shape, permutation }) =>
        `Input ${layer} is [${shape.map((size) => size ?? '?').join(', ')}]: axes ${permutation.join(', ')} of the graph's`,
    ),
    ...(verification ? [inWords(verification)] : []),
  ];
}

function inWords({ largestDifference, backend }: Verification): string {
  const difference = (largestDifference ?? 0).toExponential(1);
  return `Verified against onnxruntime (TensorFlow.js on ${backend}): they differ by ${difference} of the largest output at most.`;
}

/** Of a published version without its outlier scores, which are no layers. */
const EXAMPLE = `
Example:
  npm run --silent onnx-to-tfjs -- models/fashion-mlp/3/model.onnx out/ --outputs logits,probabilities --json`;
