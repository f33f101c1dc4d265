// `npm run test:compose [-- gpu]`: builds the images, brings up docker/compose.yaml in a project of its own, asks both
// services something, stops them, and removes everything but the images. Where no Docker answers it says so, and ends with 0.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@atelier/domain';
import { freePort } from '../scripts/bench/free-port.ts';
import { smokeTest } from './smoke.ts';

const FILE = fileURLToPath(new URL('compose.yaml', import.meta.url));
const PROFILES = ['cpu', 'gpu'];

const [profile = 'cpu', ...rest] = process.argv.slice(2);
if (!PROFILES.includes(profile) || rest.length > 0) {
  process.stderr.write(`Expected a profile, ${PROFILES.join(' or ')}; came "${process.argv.slice(2).join(' ')}".\n`);
  process.exit(2);
}
const missing = missingEngine();
if (missing === undefined) await bringUpAndAsk();
else process.stdout.write(`docker/compose.yaml was not tried: ${missing}.\n`);

/** Why there is nothing to bring it up with, if so, on one line. */
function missingEngine(): string | undefined {
  for (const words of [['version'], ['compose', 'version']]) {
    const { status, error, stderr } = spawnSync('docker', words, { encoding: 'utf8', timeout: 30_000 });
    if (status === 0) continue;
    return `docker ${words.join(' ')} failed (${error?.message ?? stderr.trim().split('\n')[0]})`;
  }
  return undefined;
}

async function bringUpAndAsk(): Promise<void> {
  const token = randomBytes(32).toString('hex');
  const [inferencePort, trainerPort] = [await freePort(), await freePort()];
  const environment = {
    ...process.env,
    TRAINER_TOKEN: token,
    INFERENCE_PUBLISHED_PORT: String(inferencePort),
    TRAINER_PUBLISHED_PORT: String(trainerPort),
  };
  const options = ['compose', '-p', `atelier-test-${process.pid}`, '-f', FILE, '--profile', profile];
  const compose = (...words: string[]) => {
    const { status } = spawnSync('docker', [...options, ...words], { env: environment, stdio: 'inherit' });
    if (status !== 0) throw new Error(`docker compose ${words.join(' ')} ended with ${status}`);
  };
  try {
    compose('up', '--build', '--detach', '--wait', '--wait-timeout', '300');
    const inference = `http://127.0.0.1:${inferencePort}`;
    const trainer = `http://127.0.0.1:${trainerPort}`;
    await smokeTest({ inference, trainer, token }, (line) => void process.stdout.write(`✔ ${line}\n`));
    compose('stop');
    requireCleanEnds(options, environment);
    process.stdout.write('✔ every container ended with 0 when it was told to\n');
  } catch (error) {
    process.stderr.write(`✖ ${messageOf(error)}\n`);
    spawnSync('docker', [...options, 'logs', '--tail', '50'], { env: environment, stdio: 'inherit' });
    process.exitCode = 1;
  } finally {
    compose('down', '--volumes');
  }
}

function requireCleanEnds(options: string[], environment: NodeJS.ProcessEnv): void {
  const words = [...options, 'ps', '--all', '--format', '{{.Service}} {{.ExitCode}}'];
  const { stdout } = spawnSync('docker', words, { encoding: 'utf8', env: environment });
  const unclean = stdout
    .trim()
    .split('\n')
    .filter((line) => !line.endsWith(' 0'));
  if (unclean.length > 0) throw new Error(`expected all to end with 0; came ${unclean.join(', ')}`);
}
