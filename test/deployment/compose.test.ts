import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { PROBES, STOP_LIMIT_MS } from '@atelier/http';
import type { InferenceConfig } from '@atelier/inference';
import type { TrainerConfig } from '@atelier/trainer';
import { Ajv, type AnySchemaObject } from 'ajv';
import { parse } from 'yaml';
import {
  bytesOf,
  COMPOSE_FOLDER,
  type ComposeService,
  namesOn,
  readCompose,
} from '../support/deployment/compose-file.ts';
import { type Image, imageNamed, programOf } from '../support/deployment/images.ts';
import { ROOT } from '../support/programs.ts';

const compose = readCompose({ TRAINER_TOKEN: 'a-token-of-a-test-and-no-other' });
const services = Object.entries(compose.services);

interface Ours {
  name: string;
  service: ComposeService;
  image: Image;
  words: string[];
  /** What its program finds in its environment. */
  environment: Record<string, string>;
}

/** Those that run our images. */
const ours = services.flatMap(([name, service]): Ours[] => {
  const image = imageNamed(service.image);
  if (image === undefined) return [];
  const environment = { ...image.environment, ...service.environment };
  return [{ name, service, image, words: service.command ?? image.command, environment }];
});

const PROFILES = ['cpu', 'gpu'];
const inProfile = (profile: string) => services.filter(([, service]) => service.profiles.includes(profile));

describe('docker/compose.yaml', () => {
  test('fits the schema of the Compose Specification', () => {
    const linter = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
    const schema = JSON.parse(readFileSync(join(linter, 'schemas', 'compose.schema.json'), 'utf8')) as AnySchemaObject;
    delete schema.$schema; // draft 7, by an address that Ajv does not know it by
    const formats = { duration: true, ports: true, expose: true, subnet_ip_address: true } as const;
    const fits = new Ajv({ strict: false, allErrors: true, formats }).compile(schema);
    const file = parse(readFileSync(join(COMPOSE_FOLDER, 'compose.yaml'), 'utf8'), { merge: true }) as object;
    assert.ok(fits(file), JSON.stringify(fits.errors, null, 2));
    const misspelt = { ...file, services: { one: { image: 'one', cap_dorp: ['ALL'] } } };
    assert.equal(fits(misspelt), false, 'a schema that takes anything would show nothing');
  });

  test('wants a token for the trainer, and nothing else', () => {
    assert.throws(() => readCompose({}), /TRAINER_TOKEN is not set/);
  });

  test('runs both services in either profile, the worker and the inference of `gpu` on a GPU', () => {
    for (const profile of PROFILES) {
      const programs = ours
        .filter(({ service }) => service.profiles.includes(profile))
        .map(({ image, words }) => `${image.service} ${image.target} ${words.join(' ')}`);
      const target = profile === 'gpu' ? 'cuda' : 'cpu';
      const expected = [`inference ${target} main.mjs`, 'trainer cpu main.mjs', `trainer ${target} worker.mjs`];
      assert.deepEqual(programs.sort(), expected.sort(), profile);
    }
    for (const { name, service, image } of ours) {
      const devices = service.deploy?.resources.reservations.devices ?? [];
      const isGpu = devices.some(({ driver, capabilities }) => driver === 'nvidia' && capabilities.includes('gpu'));
      assert.equal(isGpu, image.target !== 'cpu', name);
    }
  });

  test('builds each image of ours that a profile needs, from a target that its Dockerfile has', () => {
    for (const profile of PROFILES) {
      const built = inProfile(profile).filter(([, { build }]) => build !== undefined);
      const needed = ours.filter(({ service }) => service.profiles.includes(profile));
      for (const { name, service } of needed) {
        assert.ok(
          built.some(([, { image }]) => image === service.image),
          `nobody in ${profile} builds ${service.image} for ${name}`,
        );
      }
    }
    for (const { name, service, image } of ours) {
      if (service.build === undefined) continue;
      assert.equal(service.build.target, image.target, name);
      assert.equal(join(COMPOSE_FOLDER, service.build.context), ROOT);
      assert.equal(service.build.dockerfile, `docker/${image.service}.Dockerfile`);
    }
  });

  test('takes images of others by exact version', () => {
    for (const [name, { image }] of services) {
      if (imageNamed(image) === undefined) assert.match(image, /^docker\.io\/\w+\/\w+:v?\d+\.\d+\.\d+(-\w+)?$/, name);
    }
  });

  test('starts programs of which there is the source', () => {
    for (const { image, words } of ours) assert.ok(existsSync(join(ROOT, programOf(image, words).source)));
  });

  test('sets only variables that the program reads, to values that it takes', () => {
    for (const { name, service, image, words, environment } of ours) {
      const { variables, read } = programOf(image, words);
      const unknown = Object.keys(service.environment ?? {}).filter((variable) => !variables.includes(variable));
      assert.deepEqual(unknown, [], name);
      assert.doesNotThrow(() => read(environment), name);
    }
  });

  test('opens the ports on which the services listen, to this machine alone', () => {
    for (const { name, service, image, words, environment } of ours) {
      const { port } = programOf(image, words).read(environment) as Partial<TrainerConfig>;
      const published = (service.ports ?? []).map((text) => text.split(':').at(-1));
      assert.deepEqual(published, words[0] === 'main.mjs' ? [String(port)] : [], name);
      if (words[0] === 'main.mjs') assert.equal(port, image.port, name);
    }
    for (const [name, { ports = [] }] of services) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    }
    for (const profile of PROFILES) {
      const taken = [...inProfile(profile), ...inProfile('monitoring')].flatMap(([, { ports = [] }]) => ports);
      assert.equal(new Set(taken.map((port) => port.split(':')[1])).size, taken.length, profile);
    }
  });

  test('gives no container a right that it does not need', () => {
    for (const [name, service] of services) {
      assert.match(service.user, /^[1-9]\d*:\d+$/, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      // Compose refuses to copy such configs into a read-only container.
      assert.equal(service.read_only, service.configs === undefined, name);
      assert.doesNotMatch(JSON.stringify(service), /privileged":true|docker\.sock|network_mode|"pid"|"ipc"/, name);
    }
    for (const { name, service, image } of ours) assert.equal(service.user, image.user, name);
  });

  test('leaves what is asked about health to the image, of a program that has no port to nobody', () => {
    for (const { name, service, image, words } of ours) {
      if (words[0] !== 'main.mjs') {
        assert.deepEqual(service.healthcheck, { disable: true }, name);
        continue;
      }
      assert.equal(service.healthcheck, undefined, name);
      const [node, script = '', variable = '', fallback] = image.healthCheck;
      assert.equal(node, '/usr/local/bin/node');
      const source = join(ROOT, 'docker', script.replace('/app/', ''));
      const asked = /\}(\/\w+)`/.exec(readFileSync(source, 'utf8'))?.[1] ?? '';
      assert.ok((PROBES as readonly string[]).includes(asked), `${script} asks ${asked}`);
      assert.ok(programOf(image, words).variables.includes(variable), name);
      assert.equal(fallback, String(image.port), name);
    }
  });

  test('waits only for services of the same profiles, and for the health only of those that have one', () => {
    for (const [name, { depends_on = {}, profiles }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const awaited = compose.services[other];
        assert.ok(awaited, `${name} waits for ${other}`);
        for (const profile of profiles) assert.ok(awaited.profiles.includes(profile), `${name} in ${profile}`);
        if (condition === 'service_healthy') {
          assert.ok(awaited.healthcheck?.test ?? (awaited.healthcheck === undefined && imageNamed(awaited.image)));
        }
      }
    }
  });

  test('mounts files that are there, and volumes and configurations that it declares', () => {
    for (const [name, { volumes = [], configs = [] }] of services) {
      for (const volume of volumes) {
        const source = typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source;
        if (source.startsWith('.')) assert.ok(existsSync(join(COMPOSE_FOLDER, source)), `${name}: ${source}`);
        else assert.ok(source in compose.volumes, `${name}: ${source}`);
      }
      for (const { source } of configs) assert.ok(source in compose.configs, `${name}: ${source}`);
    }
  });

  test('keeps what is written in volumes that all who need it share', () => {
    const places = (folders: string[], { service }: Ours) =>
      folders.map((folder) => {
        const found = (service.volumes ?? []).find(
          (volume) => typeof volume !== 'string' && `${folder}/`.startsWith(`${volume.target}/`),
        );
        assert.ok(typeof found === 'object', `${folder} is on no volume`);
        return { source: found.source, mayWrite: found.read_only !== true, copies: found.volume === undefined };
      });
    for (const each of ours) {
      const config = programOf(each.image, each.words).read(each.environment);
      if (each.image.service === 'inference') {
        const { modelsDirectory, datasetCache } = config as InferenceConfig;
        const found = places([modelsDirectory, datasetCache], each);
        const reading = { mayWrite: false, copies: false };
        assert.deepEqual(found, [
          { source: 'models', ...reading },
          { source: 'data', ...reading },
        ]);
      } else {
        const { modelsDirectory, runsDirectory, datasetCache } = config as TrainerConfig;
        const found = places([modelsDirectory, runsDirectory, datasetCache], each);
        assert.deepEqual(
          found.map(({ source, mayWrite }) => [source, mayWrite]),
          [
            ['models', true],
            ['runs', true],
            ['data', true],
          ],
        );
      }
    }
  });

  test('has room in /tmp for the uploads that inference takes, and memory for both', () => {
    for (const { name, service, image, environment } of ours) {
      const [, size = ''] = /^\/tmp:size=(\w+),mode=1777$/.exec(service.tmpfs?.join() ?? '') ?? [];
      assert.ok(bytesOf(service.mem_limit) >= 2 * bytesOf(size), name);
      if (image.service !== 'inference') continue;
      const config = programOf(image).read(environment) as InferenceConfig;
      assert.equal(config.scratchDirectory, undefined, 'the folder of the system');
      assert.ok(config.maximumScratchBytes < bytesOf(size), name);
      assert.ok(config.maximumUploadBytes <= config.maximumScratchBytes, name);
      assert.ok(bytesOf(service.mem_limit) > bytesOf(size) + 2 * config.maximumBodiesBytes, name);
    }
  });

  test('kills nobody who still has time to stop', () => {
    for (const { name, service, image, words, environment } of ours) {
      const { graceMs = 0 } = programOf(image, words).read(environment) as Partial<InferenceConfig>;
      const [, seconds] = /^(\d+)s$/.exec(service.stop_grace_period ?? '') ?? [];
      assert.ok(Number(seconds) * 1000 > graceMs + STOP_LIMIT_MS, name);
    }
  });

  test('has a queue that trainer and worker reach and nobody outside, and that forgets nothing for want of memory', () => {
    const { queue } = compose.services;
    assert.ok(queue);
    assert.deepEqual([queue.ports, queue.networks], [undefined, ['queue']]);
    assert.equal(compose.networks['queue']?.internal, true);
    assert.match(queue.command?.join(' ') ?? '', /--maxmemory-policy noeviction/);
    for (const { name, service, environment } of ours) {
      const url = environment['QUEUE_URL'];
      if (url === undefined) continue;
      const { hostname, port } = new URL(url);
      assert.equal(`${hostname}:${port}`, 'queue:6379', name);
      assert.ok(namesOn('queue', name, service).length > 0, name);
    }
    assert.equal(ours.filter(({ environment }) => environment['QUEUE_URL'] !== undefined).length, 3);
  });

  test('every file below docker/prometheus and docker/grafana that a container reads is a file', () => {
    for (const [, { volumes = [], command = [] }] of services) {
      const mounts = volumes.filter((volume) => typeof volume === 'string').map((volume) => volume.split(':'));
      for (const word of command.flatMap((each) => /^--config\.file=(.*)$/.exec(each)?.[1] ?? [])) {
        const [source = ''] = mounts.find(([, target]) => target === word) ?? [];
        assert.ok(source !== '' && statSync(join(COMPOSE_FOLDER, source)).isFile(), word);
      }
    }
  });
});
