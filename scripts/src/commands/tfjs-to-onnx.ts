import { encodeModel } from '@atelier/onnx';
import { convert } from '@atelier/tfjs-to-onnx';
import { readLayersModel } from '@atelier/tfjs-to-onnx/node';
import { Command } from '@commander-js/extra-typings';
import { writeWholeFile } from '../files.ts';
import { note, print, printJson } from '../output.ts';

export function tfjsToOnnxCommand() {
  return new Command('tfjs-to-onnx')
    .description('Convert a TensorFlow.js LayersModel to ONNX.')
    .argument('<model.json>', 'the model; its weight files lie beside it')
    .argument('<out.onnx>', 'written beside and renamed, so never half')
    .option('--json', 'print a summary as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  npm run --silent tfjs-to-onnx -- models/fashion-mlp/2/tfjs/model.json out.onnx --json',
    )
    .action(async (source, target, { json }) => {
      const { model, summary } = convert(await readLayersModel(source));
      await writeWholeFile(target, encodeModel(model));
      for (const warning of summary.warnings) note(`Warning: ${warning}`);
      if (json) printJson(summary);
      else print(`${target}: ${summary.parameters} parameters, opset ${summary.opset}`);
    });
}
