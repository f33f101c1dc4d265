import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { convert, type Conversion, type ConvertOptions, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { readLayersModel } from '@atelier/tfjs-to-onnx/node';
import { Command, Option } from '@commander-js/extra-typings';
import { namedShape, type Shapes, wholeNumber, writablePath } from '../arguments.ts';
import { writeWholeFiles } from '../files.ts';
import { onnxFiles } from '../onnx-files.ts';
import { note, print, printJson } from '../output.ts';
import type { Verification } from '../verification/verify-conversion.ts';

const SEMANTICS = ['tfjs', 'keras'] as const;

export function tfjsToOnnxCommand() {
  return new Command('tfjs-to-onnx')
    .description('Convert a TensorFlow.js LayersModel to ONNX.')
    .argument('<model.json>', 'the model; its weight files lie beside it')
    .argument('<out.onnx>', 'written beside and renamed, so never half', writablePath)
    .option('--opset <n>', "the operator set to write; without it, the converter's", wholeNumber(1))
    .option('--input-shape <name=sizes>', 'sizes of an input, ? for an open one; once for each', namedShape)
    .addOption(
      new Option('--semantics <whose>', 'whom to follow where TensorFlow.js ignores a setting').choices(SEMANTICS),
    )
    .option('--keep-quantized', 'weights that are stored in 8 or 16 bits stay so')
    .option('--fold-batch-norm', 'batch normalisation goes into the weights of the layer before it')
    .option('--external-data', 'weights into out.onnx.data; without it, only beyond 2 GiB')
    .option('--verify', 'run TensorFlow.js and onnxruntime on random inputs; no file unless they agree')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (source, target, { json = false, verify = false, externalData = false, ...options }, command) => {
      if (await isSameFile(source, target))
        command.error(`error: ${target} is the model itself; expected another file`);
      const artifacts = await readLayersModel(source);
      const { model, summary } = convert(artifacts, optionsOf(options));
      for (const warning of summary.warnings) note(`Warning: ${warning}`);
      const name = basename(target);
      let verification: Verification | undefined;
      const isKept = await writeWholeFiles(
        dirname(target),
        onnxFiles(model, name, { externalData }),
        async (folder) => {
          if (verify) verification = await verified(artifacts, summary, join(folder, name));
          return verification?.verified ?? true;
        },
      );
      if (json) printJson({ ...summary, ...(verification && { verification }) });
      else if (isKept) print(`${target}: ${summary.parameters} parameters, opset ${summary.opset}`);
      if (!json && verification) print(inWords(verification));
      if (!isKept) process.exitCode = 1;
    });
}

/** Loaded here, because a conversion itself needs neither runtime. */
async function verified(
  artifacts: LayersModelArtifacts,
  { inputs }: Conversion['summary'],
  path: string,
): Promise<Verification> {
  const { verifyConversion } = await import('../verification/verify-conversion.ts');
  return verifyConversion(artifacts, { path, inputs });
}

function inWords({ verified: isVerified, largestDifference, backend, reason }: Verification): string {
  if (!isVerified) return `${reason} No file was written.`;
  const difference = (largestDifference ?? 0).toExponential(1);
  return `Verified against TensorFlow.js (${backend}): they differ by ${difference} of the largest output at most.`;
}

interface Options {
  opset?: number | undefined;
  keepQuantized?: true | undefined;
  foldBatchNorm?: true | undefined;
  inputShape?: Shapes | undefined;
  semantics?: (typeof SEMANTICS)[number] | undefined;
}

function optionsOf({ opset, keepQuantized, foldBatchNorm, inputShape, semantics }: Options): ConvertOptions {
  return {
    ...(inputShape && { inputShapes: inputShape }),
    ...(opset !== undefined && { opset }),
    ...(keepQuantized && { keepQuantized }),
    ...(foldBatchNorm && { foldBatchNormalization: true }),
    ...(semantics && { semantics }),
  };
}

/** By whatever names: a link is the same file. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

const EXAMPLES = `
Examples:
  npm run --silent tfjs-to-onnx -- path/to/model.json out.onnx --verify
  npm run --silent tfjs-to-onnx -- path/to/model.json out.onnx --input-shape image=1,224,224,3 --json

Exit codes: 0 converted, 1 it is not verified or cannot be written, 2 the model or an option is wrong, 3 the model uses
something unsupported. No file is written but at 0.`;
