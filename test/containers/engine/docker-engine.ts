import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName } from '../../../docker/build/services.ts';
import type { Container, ContainerEngine, ContainerOptions, Image, ImageConfig } from './engine.ts';
import { npmSecrets } from './npm-settings.ts';
import { attempt, run } from './program.ts';
import { contextDigest, root } from './sources.ts';

/** Images and containers by Docker with BuildKit, which fetches the base from Docker Hub. */
export class DockerEngine implements ContainerEngine {
  readonly title = 'Docker';
  readonly unproven = ['the memory and CPU limits of a container runtime.'];
  readonly #temporary = mkdtempSync(join(tmpdir(), 'atelier-containers-'));
  readonly #images = new Map<ServiceName, Promise<Image>>();
  readonly #volumes: string[] = [];

  /** Undefined where no daemon answers. */
  static async find(): Promise<DockerEngine | undefined> {
    const { code } = await attempt('docker', ['info', '--format', '{{.ServerVersion}}']);
    return code === 0 ? new DockerEngine() : undefined;
  }

  async build(service: ServiceName): Promise<void> {
    const secrets = Object.entries(await npmSecrets(this.#temporary));
    const dockerfile = join(root, 'docker', `${service}.Dockerfile`);
    const words = ['build', '--network=host', `--file=${dockerfile}`, '--target=cpu', `--tag=${nameOf(service)}`];
    await run('docker', [...words, ...secrets.flatMap(([id, path]) => ['--secret', `id=${id},src=${path}`]), root], {
      environment: { DOCKER_BUILDKIT: '1' },
    });
  }

  image(service: ServiceName): Promise<Image> {
    const known = this.#images.get(service) ?? this.#open(service);
    this.#images.set(service, known);
    return known;
  }

  async start(service: ServiceName, options: ContainerOptions = {}): Promise<Container> {
    const name = `atelier-test-${randomUUID()}`;
    const volumes = (options.writable ?? []).map((target) => `--volume=${this.#volume()}:${target}`);
    const mounted = Object.entries(options.mounted ?? {}).map(([target, source]) => `--volume=${source}:${target}:ro`);
    const variables = Object.entries(options.environment ?? {}).map(([key, value]) => `--env=${key}=${value}`);
    const confined = ['--read-only', '--tmpfs=/tmp:size=512m', '--cap-drop=ALL', '--security-opt=no-new-privileges'];
    const words = [
      'run',
      '--rm',
      '--network=host',
      `--name=${name}`,
      ...confined,
      ...volumes,
      ...mounted,
      ...variables,
    ];
    const child = spawn('docker', [...words, nameOf(service), ...(options.command ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
    return {
      output: () => output,
      async processes() {
        const { code, result } = await attempt('docker', ['top', name, '-o', 'pid']);
        return code === 0 ? result.trim().split('\n').slice(1).map(Number) : [];
      },
      async signal(signal) {
        await run('docker', ['kill', `--signal=${signal}`, name]);
      },
      ended,
    };
  }

  async close(): Promise<void> {
    for (const volume of this.#volumes) await attempt('docker', ['volume', 'rm', volume]);
    rmSync(this.#temporary, { recursive: true, force: true });
  }

  #volume(): string {
    const name = `atelier-test-${randomUUID()}`;
    this.#volumes.push(name);
    return name;
  }

  async #open(service: ServiceName): Promise<Image> {
    const inspected = await run('docker', ['image', 'inspect', '--format={{json .Config}}', nameOf(service)]);
    const container = (await run('docker', ['create', nameOf(service)])).trim();
    const [archive, tree] = [join(this.#temporary, `${service}.tar`), join(this.#temporary, service)];
    await run('docker', ['export', `--output=${archive}`, container]);
    await run('docker', ['rm', container]);
    mkdirSync(tree);
    // Owners are looked at, which only root can set; the others see their own.
    await run('tar', ['-xpf', archive, '-C', tree, '--exclude=dev/*']);
    rmSync(archive);
    return { config: JSON.parse(inspected) as ImageConfig, root: tree };
  }
}

function nameOf(service: ServiceName): string {
  return `atelier-${service}:${contextDigest(service)}`;
}
