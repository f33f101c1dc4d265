/**
 * What a package needs at run time of what its archive holds; all of it where nothing is said here. Paths are relative to
 * the package's folder.
 */
const NEEDED: Readonly<Record<string, RegExp>> = {
  'onnxruntime-node': new RegExp(`^(dist/|bin/napi-v\\d+/${process.platform}/${process.arch}/)`),
  'onnxruntime-common': /^dist\/cjs\//,
  'swagger-ui-dist': /^(swagger-ui\.css|swagger-ui-bundle\.js|favicon-32x32\.png)$/,
  '@expo-google-fonts/source-sans-3': /^(400Regular|700Bold)\//,
  '@tensorflow/tfjs-core': /\.node\.js$/,
  '@tensorflow/tfjs-layers': /\.node\.js$/,
  '@tensorflow/tfjs-backend-cpu': /\.node\.js$/,
  '@tensorflow/tfjs-backend-wasm': /\.(node\.js|wasm)$/,
};

/** Packages that others name as their dependencies for what happens at their installation or in a browser alone. */
export const UNNEEDED = new Set(['adm-zip', 'global-agent', '@types/node', '@types/long', '@types/offscreencanvas']);

const ALWAYS = /^(package\.json|(LICEN[CS]E|COPYING|NOTICE|THIRD-PARTY)[^/]*)$/i;
const NEVER =
  /libonnxruntime_providers_tensorrt|(\.(map|md|markdown|flow|tsbuildinfo)|\.d\.[cm]?ts|\.gypi?)$|(^|\/)(tests?|__tests__|docs|examples?|\.github)\//;

/** Whether a file of a package comes into the image. */
export function isNeeded(packageName: string, path: string): boolean {
  if (ALWAYS.test(path)) return true;
  return !NEVER.test(path) && (NEEDED[packageName]?.test(path) ?? true);
}
