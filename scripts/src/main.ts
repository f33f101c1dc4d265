import { readFileSync } from 'node:fs';
import { DomainError, messageOf } from '@atelier/domain';
import { Command, CommanderError } from '@commander-js/extra-typings';
import { loadCommands } from './commands.ts';
import { exitCodeOf, USED_WRONGLY } from './exit-codes.ts';

/** Runs one command and sets the process's exit code: 0 done, 1 failed, 2 used wrongly, 3 an unsupported model. */
export async function main(words: string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(); // the reader has seen enough, as `| head` does
  });
  try {
    const program = await buildProgram(words[0]);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its own message, or the help or version that was asked for.
      process.exitCode = error.exitCode === 0 ? 0 : USED_WRONGLY;
      return;
    }
    const code = error instanceof DomainError ? ` (${error.code})` : '';
    process.stderr.write(`atelier: ${messageOf(error)}${code}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** With the command `asked` for, or with all of them where there is none of that name. */
async function buildProgram(asked: string | undefined): Promise<Command> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = new Command('atelier')
    .version(version)
    .description('Train an MLP on Fashion-MNIST, export it to ONNX, serve it.')
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError()
    .enablePositionalOptions(); // behind a command, --version is the command's: that of a model
  for (const command of await loadCommands(asked, process.env)) {
    command.copyInheritedSettings(program);
    program.addCommand(command);
  }
  prepareUsageErrors(program);
  return program;
}

/** Commander would end the process itself, with 1 for wrong usage; and what is unknown is told with what there is. */
function prepareUsageErrors(command: Command): void {
  command.exitOverride();
  command.configureOutput({
    outputError: (text, write) => {
      const known = text.includes('unknown option')
        ? optionsOf(command)
        : text.includes('unknown command')
          ? commandsOf(command)
          : [];
      const line = text.trim().replaceAll(/\s*\n\s*/g, ' ');
      write(known.length === 0 ? `${line}\n` : `${line}; there is: ${known.join(', ')}\n`);
    },
  });
  for (const child of command.commands) prepareUsageErrors(child as Command);
}

function optionsOf(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), '--help'];
}

function commandsOf(command: Command): string[] {
  return command.commands.map((child) => child.name());
}

const EXAMPLES = `
Examples:
  atelier serve                                    both services, with the published version
  atelier train --recipe ann-128 --epochs 2        a run in runs/, with the exported model
  atelier train --recipe atelier --publish         the same, and a new version in models/
  atelier publish RUN                              a finished run becomes a version, without training again
  atelier label --rollback                         what was stable before answers again
  atelier predict shoe.png --top 3                 without a server
  atelier evaluate                                 the published version on the test images

Exit codes: 0 done, 1 failed, 2 used wrongly, 3 a model uses something unsupported.`;
