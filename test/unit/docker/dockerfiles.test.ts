import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InferenceConfig } from '@atelier/inference';
import { TrainerConfig } from '@atelier/trainer';
import { SERVICES, type ServiceName } from '../../../docker/build/services.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

const { parseInstallFlag } = createRequire(import.meta.url)('onnxruntime-node/script/install-utils.js') as {
  parseInstallFlag: () => boolean | string | undefined;
};

const TARGETS: Record<ServiceName, readonly string[]> = {
  inference: ['cpu', 'cuda'],
  trainer: ['cpu', 'cuda', 'tfjs-gpu'],
};
const CONFIGURATIONS = { inference: InferenceConfig, trainer: TrainerConfig };

for (const service of Object.keys(TARGETS) as ServiceName[]) {
  const stages = stagesOf(readFileSync(join(root, `docker/${service}.Dockerfile`), 'utf8'));
  const targets = TARGETS[service].map((name) => {
    const stage = stages.find((candidate) => candidate.name === name);
    assert.ok(stage, `${service} has no target ${name}`);
    return stage;
  });

  describe(`docker/${service}.Dockerfile`, () => {
    test('builds on images of exact versions alone', () => {
      const names = ['scratch', ...stages.map(({ name }) => name)];
      const foreign = stages.map(({ base }) => base).filter((base) => !names.includes(base));
      for (const base of foreign) assert.match(base, /^docker\.io\/[a-z]+\/[a-z]+:\d+\.\d+\.\d+-[a-z0-9.-]+$/);
      assert.match(foreign[0] ?? '', /^docker\.io\/library\/node:(20|22)\.\d+\.\d+-bookworm-slim$/);
    });

    test('copies from the context only what is there', () => {
      const sources = stages
        .flatMap(({ instructions }) => instructions)
        .flatMap((line) => /^COPY (?!--from)(.*) \S+$/.exec(line)?.[1]?.split(' ') ?? [])
        .map((path) => path.replace('${MODEL}', 'fashion-mlp'));
      assert.ok(sources.length > 5);
      assert.deepEqual(
        sources.filter((path) => !existsSync(join(root, path))),
        [],
      );
    });

    test('runs as a numeric user, by programs and not by a shell, without telemetry, and says how it is', () => {
      for (const { instructions, name } of targets) {
        assert.ok(instructions.includes('USER 10001:10001'), name);
        assert.ok(instructions.includes('ENTRYPOINT ["/usr/local/bin/node"]'), name);
        assert.ok(instructions.includes('CMD ["main.mjs"]'), name);
        assert.match(instructions.join('\n'), /^HEALTHCHECK .* CMD \["\/usr\/local\/bin\/node", /m, name);
        assert.match(instructions.join('\n'), /^ENV .*\bORT_DISABLE_TELEMETRY=1\b/m, name);
        for (const label of ['title', 'licenses', 'version', 'revision', 'base.name']) {
          assert.match(
            instructions.join('\n'),
            new RegExp(`org\\.opencontainers\\.image\\.${label.replace('.', '\\.')}=`),
            name,
          );
        }
      }
    });

    test('takes from programs of the base the right to run as somebody else', () => {
      for (const { base, name, instructions } of targets) {
        const cleared =
          base === 'scratch' ? stages.find((stage) => stage.name === 'system')?.instructions : instructions;
        assert.ok(
          cleared?.some((line) => line.endsWith('find / -xdev -type f -perm /6000 -exec chmod a-s {} +')),
          name,
        );
        if (base === 'scratch') assert.ok(instructions.includes('COPY --from=system / /'), name);
      }
    });

    test('says of its base what it is built on', () => {
      for (const { base, instructions } of targets) {
        const image = base === 'scratch' ? stages[0]?.base : base;
        assert.ok(instructions.some((line) => line.includes(`base.name="${image}"`)));
      }
    });

    test('sets only variables that the service reads, and opens the port that it listens on', () => {
      const known: string[] = Object.values(CONFIGURATIONS[service].shape).map((field) =>
        String(field.meta()?.['variable']),
      );
      for (const { instructions } of targets) {
        const variables = instructions
          .filter((line) => line.startsWith('ENV '))
          .flatMap((line) => [...line.matchAll(/([A-Z_]+)=/g)].map(([, name = '']) => name));
        const common = ['PATH', 'HOME', 'NODE_ENV', 'ORT_DISABLE_TELEMETRY'];
        assert.deepEqual(
          variables.filter((name) => !known.includes(name) && !common.includes(name)),
          [],
        );
        const port = /_PORT=(\d+)/.exec(instructions.join('\n'))?.[1];
        assert.ok(instructions.includes(`EXPOSE ${port}`));
      }
    });

    test("asks for the CUDA provider in a word that onnxruntime-node's script understands", () => {
      const [, word] =
        /ONNXRUNTIME_NODE_INSTALL=(\S+)/.exec(stages.flatMap(({ instructions }) => instructions).join()) ?? [];
      const before = process.env['ONNXRUNTIME_NODE_INSTALL'];
      process.env['ONNXRUNTIME_NODE_INSTALL'] = word;
      try {
        assert.equal(parseInstallFlag(), true, word); // for a word that it does not know undefined, as if nobody had asked
      } finally {
        if (before === undefined) delete process.env['ONNXRUNTIME_NODE_INSTALL'];
        else process.env['ONNXRUNTIME_NODE_INSTALL'] = before;
      }
    });

    test('starts programs of which there is the source', () => {
      for (const program of [...SERVICES[service].programs, SERVICES[service].entries]) {
        assert.ok(existsSync(join(root, 'services', service, program)), program);
      }
    });
  });
}

test('both services run on the same Node', () => {
  const [inference, trainer] = (Object.keys(TARGETS) as ServiceName[]).map(
    (service) => stagesOf(readFileSync(join(root, `docker/${service}.Dockerfile`), 'utf8'))[0]?.base,
  );
  assert.equal(inference, trainer);
});

test('nothing comes into the context of a build that no Dockerfile copies', () => {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  assert.ok(lines.includes('*'));
  const admitted = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = Object.keys(TARGETS).map((service) =>
    readFileSync(join(root, `docker/${service}.Dockerfile`), 'utf8'),
  );
  for (const path of admitted) assert.ok(copied.join('\n').includes(path), path);
});

interface Stage {
  base: string;
  name: string;
  /** Each on one line. */
  instructions: string[];
}

function stagesOf(text: string): Stage[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, base, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (base !== undefined && name !== undefined) stages.push({ base, name, instructions: [] });
    else stages.at(-1)?.instructions.push(line);
  }
  return stages;
}
