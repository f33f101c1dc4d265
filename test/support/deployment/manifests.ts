import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../programs.ts';
import { imageNamed } from './images.ts';
import type { InferenceService, ServingRuntime } from './kserve.ts';

/** What every object has. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

/** A `Deployment` of ours, of which nothing is left out that tests ask for. */
export type Deployment = Manifest & IDeployment & { spec: NonNullable<IDeployment['spec']> };
type PodSpec = NonNullable<Deployment['spec']['template']['spec']>;

export const KUBERNETES = join(ROOT, 'docker', 'kubernetes');

const TOOLS: [program: string, ...words: string[]][] = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
];

/** What makes an overlay into manifests on this machine; undefined where there is nothing that could. */
export const kustomize = TOOLS.find(([program]) => spawnSync(program, ['version', '--client']).error === undefined);

/** What `kubectl apply -k` would send of a folder below docker/kubernetes. */
export function rendered(folder: string): Manifest[] {
  if (kustomize === undefined) throw new Error('Neither kustomize nor kubectl is on this machine.');
  const [program, ...words] = kustomize;
  return manifestsIn(execFileSync(program, [...words, join(KUBERNETES, folder)], { encoding: 'utf8' }));
}

/** The objects in a file below docker/kubernetes. */
export function manifestsOf(path: string): Manifest[] {
  return manifestsIn(readFileSync(join(KUBERNETES, path), 'utf8'));
}

export function deploymentsIn(manifests: readonly Manifest[]): Deployment[] {
  return manifests.filter((each): each is Deployment => each.kind === 'Deployment');
}

export function podOf({ spec, metadata }: Deployment): PodSpec {
  if (spec.template.spec === undefined) throw new Error(`${metadata.name} has no pods`);
  return spec.template.spec;
}

/** With those that run first. */
export function containersOf(deployment: Deployment): IContainer[] {
  const { initContainers = [], containers } = podOf(deployment);
  return [...initContainers, ...containers];
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    return document.toJS() as Manifest;
  });
}

/** What a `kustomization.yaml` of ours says. */
export interface Kustomization {
  resources: string[];
  patches?: { path: string }[];
  images?: { name: string; newName?: string; newTag: string }[];
  configMapGenerator?: { name: string; files: string[] }[];
  configurations?: string[];
}

export function kustomizationOf(folder: string): Kustomization {
  return manifestsOf(`${folder}/kustomization.yaml`)[0] as unknown as Kustomization;
}

export const OVERLAYS = ['overlays/cpu', 'overlays/gpu', 'overlays/one-machine'];

/** Every object that the base names. */
export const base = kustomizationOf('base').resources.flatMap((file) => manifestsOf(`base/${file}`));

export const [servingRuntime, inferenceService] = kustomizationOf('kserve').resources.flatMap((file) =>
  manifestsOf(`kserve/${file}`),
) as unknown as [ServingRuntime, InferenceService];

/**
 * What each overlay comes to. Without kustomize the base stands for all, with the images of one: it has all but what a GPU
 * changes.
 */
export const applied: [name: string, manifests: Manifest[]][] =
  kustomize === undefined ? [['base', base.map(withTags)]] : OVERLAYS.map((folder) => [folder, rendered(folder)]);

/** What a program in a container finds in its environment; secrets have something. */
export function environmentOf({ image = '', env = [] }: IContainer): Record<string, string> {
  const given = env.map(({ name, value }) => [name, value ?? 'a-token-of-a-test-and-no-other']);
  return { ...imageNamed(image)?.environment, ...(Object.fromEntries(given) as Record<string, string>) };
}

function withTags(manifest: Manifest): Manifest {
  const { images = [] } = kustomizationOf('overlays/cpu');
  const text = images.reduce(
    (all, { name, newName = name, newTag }) => all.replaceAll(`"image":"${name}"`, `"image":"${newName}:${newTag}"`),
    JSON.stringify(manifest),
  );
  return JSON.parse(text) as Manifest;
}
