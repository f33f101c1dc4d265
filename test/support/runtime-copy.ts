import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './programs.ts';

/**
 * A copy of onnxruntime-node under `folder`, as npm brings it, without a CUDA provider; into its folder of libraries a test
 * may put what it likes. And the program of a compute process that uses it.
 */
export async function runtimeCopy(folder: string): Promise<{ libraries: string; entry: URL }> {
  const place = join('bin', 'napi-v6', process.platform, process.arch);
  const from = join(ROOT, 'node_modules', 'onnxruntime-node');
  const to = join(folder, 'node_modules', 'onnxruntime-node');
  await mkdir(to, { recursive: true });
  const filter = (path: string) => !path.includes('onnxruntime_providers_');
  for (const part of ['package.json', 'dist', place]) {
    await cp(join(from, part), join(to, part), { recursive: true, filter });
  }
  await symlink(join(ROOT, 'node_modules', 'onnxruntime-common'), join(folder, 'node_modules', 'onnxruntime-common'));
  const entry = join(folder, 'compute.mjs');
  const runtime = pathToFileURL(join(to, 'dist', 'index.js')).href;
  await writeFile(
    entry,
    `import { dirname, join } from 'node:path';
     const task = JSON.parse(process.argv[2]);
     process.argv[2] = JSON.stringify({ ...task, runtime: ${JSON.stringify(runtime)} });
     await import(join(dirname(task.engineEntry), 'compute-main.mjs'));`,
  );
  return { libraries: join(to, place), entry: pathToFileURL(entry) };
}
