import { ASKED_DEVICES, askedDevice, machineChecks, runDoctor } from '@atelier/doctor';
import { inferenceChecks, installedRuntime, readConfig } from '@atelier/inference';
import { trainerChecks } from '@atelier/trainer';
import { Command, Option } from '@commander-js/extra-typings';
import type { Settings } from '../settings.ts';

export function doctorCommand(settings: Settings) {
  return new Command('doctor')
    .description('Say what this machine gives to the services, what is amiss, and what to do about it.')
    .addOption(
      new Option('--device <name>', 'what is to be usable; default: the variable DEVICE, or else auto').choices(
        ASKED_DEVICES,
      ),
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 what was asked for can be used, 1 it cannot.

Examples:
  npm run doctor
  npm run doctor -- --device cuda`,
    )
    .action(async ({ device: option, json = false }) => {
      const { env } = process;
      const device = askedDevice(option, env);
      const checks = [
        ...machineChecks({ environment: env, locateRuntime: installedRuntime }),
        ...inferenceChecks(readConfig({ ...env, DEVICE: undefined, MODELS_DIR: settings.modelsDirectory }), device),
        ...trainerChecks(settings.readTrainerConfig(), env, device).filter(({ name }) => name !== 'bundle-cache'),
      ];
      process.exitCode = await runDoctor(checks, { device, json }, process.stdout);
    });
}
