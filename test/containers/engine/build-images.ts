import { SERVICES, type ServiceName } from '../../../docker/build/services.ts';
import { requireBuildah } from './buildah-tools.ts';
import { DockerEngine } from './docker-engine.ts';
import { findEngine } from './engine.ts';

/** Builds what the tests run, says with what and how long it took, and what they will not show. */
export async function buildImages({ mayInstall }: { mayInstall: boolean }): Promise<void> {
  const engine = await findEngine();
  try {
    if (!(engine instanceof DockerEngine)) await requireBuildah(mayInstall);
    print(`Containers by ${engine.title}`);
    for (const service of Object.keys(SERVICES) as ServiceName[]) {
      const start = performance.now();
      await engine.build(service);
      print(`✔ atelier-${service}, target cpu: ${((performance.now() - start) / 1000).toFixed(0)} s`);
    }
  } finally {
    await engine.close();
  }
  for (const sentence of [...engine.unproven, ...NEVER_PROVEN]) print(`ℹ Not checked: ${sentence}`);
}

const NEVER_PROVEN = [
  "the targets cuda and tfjs-gpu, which need images of NVIDIA, onnxruntime's CUDA provider and TensorFlow from outside of npm.",
];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
