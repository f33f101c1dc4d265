import { RECIPES } from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { print, printJson } from '../output.ts';

export function recipesCommand() {
  return new Command('recipes')
    .description('List the recipes that `train` knows.')
    .option('--json', 'print them whole as JSON')
    .action(({ json }) => {
      if (json) printJson([...RECIPES.values()]);
      else for (const { name, description } of RECIPES.values()) print(`${name.padEnd(12)} ${description}`);
    });
}
