/**
 * Writes src/generated/ from proto/onnx.proto: `node packages/onnx/generate.mjs`. The generators (130 MB) are fetched
 * from the package registry into npm's cache for this run; they are no dependency of the project.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GENERATORS = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.12.0'];
const proto = join(import.meta.dirname, 'proto', 'onnx.proto');
const generated = join(import.meta.dirname, 'src', 'generated');

// JavaScript with declarations, because the TypeScript form has enums, which Node cannot strip.
const template = {
  version: 'v2',
  plugins: [{ local: 'protoc-gen-es', out: '.', opt: ['target=js+dts', 'import_extension=js'] }],
};

const workshop = mkdtempSync(join(tmpdir(), 'onnx-proto-'));
try {
  copyFileSync(proto, join(workshop, 'onnx.proto'));
  const packages = GENERATORS.map((name) => `--package=${name}`);
  const command = ['exec', '--yes', ...packages, '--', 'buf', 'generate', '--template', 'buf.gen.json'];
  writeFileSync(join(workshop, 'buf.gen.json'), JSON.stringify(template));
  execFileSync('npm', command, { cwd: workshop, stdio: 'inherit', shell: process.platform === 'win32' });
  // Of the text with Unix line ends: git may have put others into a checkout.
  const text = readFileSync(proto, 'utf8').replaceAll('\r\n', '\n');
  const digest = createHash('sha256').update(text).digest('hex');
  const header = `// From packages/onnx/proto/onnx.proto, SHA-256 ${digest}\n// by packages/onnx/generate.mjs; not to be edited.\n\n`;
  for (const file of ['onnx_pb.js', 'onnx_pb.d.ts']) {
    writeFileSync(join(generated, file), header + readFileSync(join(workshop, file), 'utf8'));
  }
} finally {
  rmSync(workshop, { recursive: true, force: true });
}
