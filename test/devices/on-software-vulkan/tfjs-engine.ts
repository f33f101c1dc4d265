import { chooseEngine } from '@atelier/trainer';
import { describeTrainingEngine } from '../../support/training-engine-contract.ts';

// tfjs' optimisers are the same on every backend; each takes SwiftShader ten seconds.
describeTrainingEngine('training engine tfjs on webgpu', () => chooseEngine('tfjs', 'webgpu'), ['adam']);
