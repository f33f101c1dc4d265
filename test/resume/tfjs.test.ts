import { chooseEngine } from '@atelier/trainer';
import { describeResuming } from '../support/resume-contract.ts';

describeResuming('a run on tfjs', () => chooseEngine('tfjs'));
