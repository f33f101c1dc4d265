import { chooseEngine } from '@atelier/trainer';
import { describeTrainingEngine } from '../../support/training-engine-contract.ts';

describeTrainingEngine('training engine onnx on webgpu', () => chooseEngine('onnx', 'webgpu'));
