// `node seed-models.mjs FROM TO`: copies each model that TO has no folder of, beside and then renamed, so that a reader sees
// the whole of it or nothing. What is in TO stays as it is.
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('Expected two folders: from, to.');
for (const { name } of readdirSync(from, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  if (existsSync(join(to, name))) continue;
  const beside = join(to, `.${name}-seed`); // hidden: no reader takes it for a model
  rmSync(beside, { recursive: true, force: true }); // of a copy that was broken off
  cpSync(join(from, name), beside, { recursive: true });
  renameSync(beside, join(to, name));
  process.stdout.write(`${name}: copied\n`);
}
