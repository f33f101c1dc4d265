import { bundleCache } from '@atelier/compiled-entries';
import {
  answers,
  type AskedDevice,
  bundleCacheChecks,
  type Check,
  cudaCheck,
  folderCheck,
  libraryPlaces,
  machineChecks,
  portCheck,
  TFJS_CUDA,
  tfjsNodeGpuCheck,
} from '@atelier/doctor';
import { readTrainerConfig, type TrainerConfig } from '../config.ts';
import { installedRuntime } from '../engines/onnx/session.ts';
import { installedTfjsGpu } from '../engines/tfjs/import-optional.ts';
import { deviceChecks } from './device-checks.ts';
import { accessCheck, queueChecks } from './service-checks.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that `--doctor` asks for the trainer: the machine first. A configuration that is none rejects. */
export function trainerDoctor(environment: Environment): (device: AskedDevice) => Check[] {
  const config = readTrainerConfig(environment);
  return (device) => [
    ...machineChecks({ environment, locateRuntime: installedRuntime }),
    ...trainerChecks(config, environment, device),
  ];
}

/** What the trainer needs beside a machine. */
export function trainerChecks(config: TrainerConfig, environment: Environment, device: AskedDevice): Check[] {
  const group = 'trainer';
  const { host, port } = config;
  const cache = bundleCache(import.meta.url);
  return [
    folderCheck({
      group,
      name: 'runs-folder',
      path: config.runsDirectory,
      variable: 'RUNS_DIR',
      written: 'no run can be kept',
    }),
    folderCheck({
      group,
      name: 'publishing-folder',
      path: config.modelsDirectory,
      variable: 'MODELS_DIR',
      written: 'no run can be published',
    }),
    folderCheck({
      group,
      name: 'dataset-cache',
      path: config.datasetCache,
      variable: 'TRAINER_DATASET_CACHE',
      written: 'a data set that is fetched cannot be kept',
      isOptional: true,
    }),
    ...bundleCacheChecks(group, cache),
    portCheck({
      group,
      name: 'trainer-port',
      host,
      port,
      hostVariable: 'TRAINER_HOST',
      portVariable: 'TRAINER_PORT',
      isOurs: (url) => answers(`${url}/recipes`, [200, 401]),
    }),
    accessCheck(config),
    ...queueChecks(config),
    cudaCheck(group, 'cuda-for-tfjs', TFJS_CUDA, libraryPlaces(environment)),
    tfjsNodeGpuCheck(installedTfjsGpu),
    ...deviceChecks(device === 'auto' && config.queueUrl === undefined ? config.device : device),
  ];
}
