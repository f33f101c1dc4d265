// Runs one command line after the other in this process, as scripts/atelier.mjs runs one: loading the libraries takes longer
// than most of them. What each writes and the exit code that it sets go back to the parent.
import { register } from 'tsx/esm/api';

/** @import { CommandLine } from './command-lines.ts' */

register();
const { main } = await import('../../scripts/src/main.ts');
process.stdout.setMaxListeners(0); // each command line listens there for its reader to leave
const inherited = { ...process.env };

process.on('message', (/** @type {CommandLine} */ commandLine) => void run(commandLine));
process.send?.('ready');

/** @param {CommandLine} commandLine */
async function run({ words, environment }) {
  process.env = { ...inherited, ...environment };
  process.exitCode = undefined;
  const [stdout, stderr] = [captured(process.stdout), captured(process.stderr)];
  await main(words);
  process.send?.({ code: process.exitCode ?? 0, stdout: stdout(), stderr: stderr() });
  process.exitCode = 0;
}

/**
 * Keeps what is written to a stream, until it is asked for.
 * @param {NodeJS.WriteStream} stream
 */
function captured(stream) {
  const write = stream.write.bind(stream);
  let text = '';
  stream.write = (/** @type {string | Uint8Array} */ chunk) => {
    text += chunk.toString();
    return true;
  };
  return () => {
    stream.write = write;
    return text;
  };
}
