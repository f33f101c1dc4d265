import type { Command } from '@commander-js/extra-typings';
import type { Settings } from './settings.ts';

/**
 * Every command by its name, in the order of the help. A command is loaded when it is asked for, and with it only what it
 * needs: the trainer's libraries alone take a second to load.
 */
const COMMANDS: Readonly<Record<string, (settings: () => Promise<Settings>) => Promise<unknown>>> = {
  serve: async (settings) => (await import('./commands/serve.ts')).serveCommand(await settings()),
  train: async (settings) => (await import('./commands/train.ts')).trainCommand(await settings()),
  'train-teacher': async (settings) =>
    (await import('./commands/train-teacher.ts')).trainTeacherCommand(await settings()),
  report: async (settings) => (await import('./commands/report.ts')).reportCommand(await settings()),
  publish: async (settings) => (await import('./commands/publish.ts')).publishCommand(await settings()),
  recalibrate: async (settings) => (await import('./commands/recalibrate.ts')).recalibrateCommand(await settings()),
  label: async (settings) => (await import('./commands/label.ts')).labelCommand(await settings()),
  search: async (settings) => (await import('./commands/search.ts')).searchCommand(await settings()),
  evaluate: async (settings) => (await import('./commands/evaluate.ts')).evaluateCommand(await settings()),
  predict: async (settings) => (await import('./commands/predict.ts')).predictCommand(await settings()),
  trust: async (settings) => (await import('./commands/trust.ts')).trustCommand(await settings()),
  conformance: async () => (await import('./commands/conformance.ts')).conformanceCommand(),
  recipes: async () => (await import('./commands/recipes.ts')).recipesCommand(),
  compare: async (settings) => (await import('./commands/compare.ts')).compareCommand(await settings()),
  photos: async (settings) => (await import('./commands/photos.ts')).photosCommand(await settings()),
  ablate: async (settings) => (await import('./commands/ablate.ts')).ablateCommand(await settings()),
  'tfjs-to-onnx': async () => (await import('./commands/tfjs-to-onnx.ts')).tfjsToOnnxCommand(),
  'onnx-to-tfjs': async () => (await import('./commands/onnx-to-tfjs.ts')).onnxToTfjsCommand(),
  'fetch-dataset': async (settings) =>
    (await import('./commands/fetch-dataset.ts')).fetchDatasetCommand(await settings()),
  doctor: async (settings) => (await import('./commands/doctor.ts')).doctorCommand(await settings()),
  'test-gpu': async (settings) => (await import('./commands/test-gpu.ts')).testGpuCommand(await settings()),
  setup: async (settings) => (await import('./commands/setup.ts')).setupCommand(await settings()),
};

/** The command called `name`; all of them where none is, for the help and for the list of what there is. */
export async function loadCommands(
  name: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Command[]> {
  const readSettings = async () => (await import('./settings.ts')).readSettings(environment);
  const asked = Object.entries(COMMANDS).filter(([known]) => known === name);
  const commands = (asked.length > 0 ? asked : Object.entries(COMMANDS)).map(([, load]) => load(readSettings));
  return (await Promise.all(commands)) as Command[];
}
