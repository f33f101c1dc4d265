import { readFileSync } from 'node:fs';
import type { EngineName } from './engines/devices.ts';

/**
 * Versions of what decides the bits of a training, read from the packages themselves: ours, and the runtimes'. The ONNX
 * runtime is among them on every engine, because a teacher answers by it.
 */
export function computingSoftware(engine: EngineName): Record<string, string> {
  return {
    atelier: versionIn(new URL('../package.json', import.meta.url)),
    'onnxruntime-node': versionOf('onnxruntime-node'),
    ...(engine === 'tfjs' ? { tfjs: versionOf('@tensorflow/tfjs-core') } : {}),
  };
}

/** An installed package lies where its entry's URL ends in its name. */
function versionOf(packageName: string): string {
  const entry = import.meta.resolve(packageName);
  const marker = `/node_modules/${packageName}/`;
  return versionIn(new URL('package.json', entry.slice(0, entry.lastIndexOf(marker) + marker.length)));
}

function versionIn(file: URL): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
