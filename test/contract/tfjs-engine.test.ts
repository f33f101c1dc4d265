import { chooseEngine } from '@atelier/trainer';
import { describeTrainingEngine } from '../support/training-engine-contract.ts';

describeTrainingEngine('training engine tfjs on the processor', () => chooseEngine('tfjs', 'cpu'));
