import type { ServiceName } from '../../../docker/build/services.ts';
import { BuildahEngine } from './buildah-engine.ts';
import { DockerEngine } from './docker-engine.ts';

/** Of an image, in Docker's words. */
export interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  Cmd: string[];
  WorkingDir: string;
  ExposedPorts: Record<string, object>;
  Labels: Record<string, string>;
  Healthcheck: { Test: string[] };
}

export interface Image {
  config: ImageConfig;
  /** A folder with all of its files, their owners and their modes. */
  root: string;
}

export interface ContainerOptions {
  environment?: Readonly<Record<string, string>>;
  /** In the place of the image's own. */
  command?: readonly string[];
  /** Folders of the image that are to be writable, and start with what is in it. */
  writable?: readonly string[];
  /** Folders of this machine by where they are seen, read-only. */
  mounted?: Readonly<Record<string, string>>;
}

export interface Exit {
  code: number | null;
  /** Both streams, in the order in which they came. */
  output: string;
}

/** A process and those that it started, as its image's user, on a tree that nobody can write to. */
export interface Container {
  /** Sees the same network as this process. */
  readonly output: () => string;
  /** Numbers on this machine of all its processes, its first one before the others. */
  processes(): Promise<number[]>;
  signal(name: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  readonly ended: Promise<Exit>;
}

/** Builds images and runs them. */
export interface ContainerEngine {
  readonly title: string;
  /** What it cannot show, a sentence each. */
  readonly unproven: readonly string[];
  /** Builds the `cpu` target, where it has not been built from the same files before. */
  build(service: ServiceName): Promise<void>;
  /** One that was built. */
  image(service: ServiceName): Promise<Image>;
  start(service: ServiceName, options?: ContainerOptions): Promise<Container>;
  /** Removes what `image` and `start` left behind. */
  close(): Promise<void>;
}

/** Docker where it answers, else buildah. */
export async function findEngine(): Promise<ContainerEngine> {
  return (await DockerEngine.find()) ?? new BuildahEngine();
}
