import { Augmentation } from '@atelier/domain';
import { createOnnxEngine, findRecipe } from '@atelier/trainer';
import type { Variants } from '../benchmark.ts';
import { measureVariant } from '../measure-variant.ts';
import { measureEpochs } from './epochs.ts';
import { measureMatrixPeak } from './matrix-peak.ts';
import { measureSteps } from './steps.ts';
import { createWasmEngine } from './tfjs-wasm.ts';
import type { VariantName } from './variant-names.ts';

const deepBn = findRecipe('deep-bn');
const atelier = findRecipe('atelier');

const VARIANTS = {
  'matrix-peak': measureMatrixPeak,
  'onnx-batch-64': measureSteps({ ...deepBn, batchSize: 64 }, createOnnxEngine, { perCall: 100, calls: 8 }),
  'onnx-batch-256': measureSteps({ ...deepBn, batchSize: 256 }, createOnnxEngine, { perCall: 100, calls: 4 }),
  'tfjs-wasm-batch-64': measureSteps({ ...deepBn, batchSize: 64 }, createWasmEngine('our products'), {
    perCall: 10,
    calls: 3,
  }),
  'tfjs-wasm-plain-batch-64': measureSteps({ ...deepBn, batchSize: 64 }, createWasmEngine('plain'), {
    perCall: 10,
    calls: 3,
  }),
  'atelier-epochs': measureEpochs(atelier),
  'atelier-epochs-without-augmentation': measureEpochs({ ...atelier, augmentation: Augmentation.parse({}) }),
  'deep-bn-epochs': measureEpochs(deepBn),
} satisfies Record<VariantName, Variants[string]>;

await measureVariant(VARIANTS, process.argv.slice(2));
