/** `tsx go-on-training.ts FILE BATCHES RATES`: goes on training a small network from a file; its losses as JSON. */
import { readFile } from 'node:fs/promises';
import { decodeModel } from '@atelier/onnx';
import { mergedTrainingStep } from '@atelier/onnx-training';
import { begin, type Batches, stepByStep } from './training-runs.ts';

const [file = '', batches = '{}', rates = '[]'] = process.argv.slice(2);
const step = mergedTrainingStep(decodeModel(await readFile(file), file));
const { x, targets } = JSON.parse(batches) as Record<keyof Batches, number[]>;
const from = { x: Float32Array.from(x), targets: Float32Array.from(targets) };
const { losses } = await stepByStep(step, begin(step), from, JSON.parse(rates) as number[]);
process.stdout.write(JSON.stringify(losses));
