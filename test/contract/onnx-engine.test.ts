import { createOnnxEngine } from '@atelier/trainer';
import { describeTrainingEngine } from '../support/training-engine-contract.ts';

describeTrainingEngine('training engine onnx on cpu', async () => ({
  create: (recipe) => createOnnxEngine(recipe, { threads: 1 }),
}));
