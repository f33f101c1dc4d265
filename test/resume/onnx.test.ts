import { createOnnxEngine } from '@atelier/trainer';
import { describeResuming } from '../support/resume-contract.ts';

describeResuming('a run on onnx', async () => ({
  name: 'onnx',
  device: 'cpu',
  create: createOnnxEngine,
  reason: 'the contract',
}));
