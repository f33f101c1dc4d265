import { tmpdir } from 'node:os';
import { bundleCache } from '@atelier/compiled-entries';
import {
  answers,
  type AskedDevice,
  bundleCacheChecks,
  type Check,
  folderCheck,
  machineChecks,
  portCheck,
} from '@atelier/doctor';
import { installedRuntime } from '../compute/provider-libraries.ts';
import { type InferenceConfig, readConfig } from '../config.ts';
import { decodersCheck } from './decoders-check.ts';
import { deviceChecks } from './device-checks.ts';
import { versionCheck } from './version-check.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that `--doctor` asks for the inference service: the machine first. A configuration that is none rejects. */
export function inferenceDoctor(environment: Environment): (device: AskedDevice) => Check[] {
  const config = readConfig({ ...environment, DEVICE: undefined }); // what is asked for is the doctor's to read
  return (device) => [
    ...machineChecks({ environment, locateRuntime: installedRuntime }),
    ...inferenceChecks(config, device),
  ];
}

/** What the inference service needs beside a machine. */
export function inferenceChecks(config: InferenceConfig, device: AskedDevice): Check[] {
  const group = 'inference';
  const cache = bundleCache(import.meta.url);
  return [
    folderCheck({ group, name: 'models-folder', path: config.modelsDirectory, variable: 'MODELS_DIR', written: null }),
    versionCheck(config),
    folderCheck({
      group,
      name: 'scratch-folder',
      path: config.scratchDirectory ?? tmpdir(),
      variable: 'INFERENCE_SCRATCH_DIR',
      written: 'no upload can be evaluated',
      enoughBytes: config.maximumScratchBytes,
    }),
    ...bundleCacheChecks(group, cache),
    ...portChecks(config),
    decodersCheck(),
    ...deviceChecks(device),
  ];
}

function portChecks({ host, port, grpcPort }: InferenceConfig): Check[] {
  const isOurs = (url: string) => answers(`${url}/startupz`, [200, 503]);
  const common = { group: 'inference', host, hostVariable: 'INFERENCE_HOST' };
  const http = portCheck({ ...common, name: 'inference-port', port, portVariable: 'INFERENCE_PORT', isOurs });
  if (grpcPort === undefined) return [http];
  const grpc = portCheck({
    ...common,
    name: 'grpc-port',
    port: grpcPort,
    portVariable: 'INFERENCE_GRPC_PORT',
    // gRPC itself answers no request of ours; where the service is at its other port, this is taken for its own too.
    isOurs: () => isOurs(`http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`),
  });
  return [http, grpc];
}
