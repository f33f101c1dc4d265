/** What an image of a service is made of. Paths are relative to the service's folder. */
export interface ServiceParts {
  /** Modules that a container is started with. */
  programs: readonly string[];
  /** The module that lists what those start in their turn. */
  entries: string;
  /** Packages that stay outside of the bundle: native, with files of their own, or not there at all. */
  outside: RegExp;
  /** Those of them that come into the image, with what they depend on. */
  packages: readonly string[];
  /** Files and folders that the service reads, beside its `package.json` and what lies among its source. */
  files: readonly string[];
}

export const SERVICES = {
  inference: {
    programs: ['src/main.ts'],
    entries: 'src/compute/entries.ts',
    outside: /^(sharp|onnxruntime-node|swagger-ui-dist|esbuild|canvas)$/,
    packages: ['onnxruntime-node', 'sharp', 'swagger-ui-dist'],
    files: [],
  },
  trainer: {
    programs: ['src/main.ts', 'src/worker.ts'],
    entries: 'src/process/entries.ts',
    outside:
      /^(onnxruntime-node|webgpu|sharp|swagger-ui-dist|esbuild|canvas|@tensorflow\/.*|@resvg\/.*|@expo-google-fonts\/.*)$/,
    packages: [
      'onnxruntime-node',
      'swagger-ui-dist',
      '@resvg/resvg-js',
      '@expo-google-fonts/source-sans-3',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-layers',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
    ],
    files: ['teachers'],
  },
} as const satisfies Record<string, ServiceParts>;
export type ServiceName = keyof typeof SERVICES;

export function isServiceName(name: string | undefined): name is ServiceName {
  return name !== undefined && Object.hasOwn(SERVICES, name);
}
