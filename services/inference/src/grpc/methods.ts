import { DomainError } from '@atelier/domain';
import { modelConfig, modelMetadata } from '../open-inference/rest/model-description.ts';
import { chooseVersion, infer, type InferParts } from '../open-inference/infer.ts';
import { refuseBroughtAlong, requireModelName, serverMetadata } from '../open-inference/server-metadata.ts';
import type { CountedInferences } from '../open-inference/statistics.ts';
import { provenanceOf } from '../provenance.ts';
import type { VersionStatus } from '../models/models.ts';
import type { Messages } from './messages.ts';
import type { MethodName } from './service.ts';
import { inputTensors, outputMessages, parametersOf, requestedOutputs } from './tensors.ts';
import type { Method } from './unary.ts';

export interface MethodParts extends InferParts {
  statistics: CountedInferences;
  /** Throws `overloaded` where there is no room for what would come. */
  admit: (kind: 'pixels') => void;
}

export type Methods = { [M in MethodName]: Method<Messages[M]['request'], Messages[M]['response']> };

/** What each method of the service answers. */
export function createMethods(parts: MethodParts): Methods {
  const { models, statistics } = parts;
  return {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: isReady(parts) }),
    ModelReady: ({ name, version }, { requestId }) => {
      try {
        return { ready: chooseVersion(models, name, version, requestId).ready };
      } catch (error) {
        if (error instanceof DomainError && error.code !== 'model-not-found') return { ready: false };
        throw error;
      }
    },
    ServerMetadata: () => SERVER,
    ModelMetadata: ({ name, version }, { requestId }) => {
      return modelMetadata(models, chooseVersion(models, name, version, requestId)); // what the schema lacks is left out
    },
    ModelInfer: async (request, { requestId, signal, deadline, timings, tell }) => {
      const raw = request.raw_input_contents.length > 0;
      const { predictor, modelName, modelVersion, outputs } = await infer(
        {
          model: request.model_name,
          version: request.model_version,
          parameters: parametersOf(request.parameters),
          inputs: inputTensors(request),
          outputs: requestedOutputs(request),
          requestId,
          signal,
          deadline,
          timings,
        },
        parts,
      );
      for (const [header, value] of provenanceOf(predictor)) tell(header.toLowerCase(), value);
      const { id } = request;
      return { model_name: modelName, model_version: modelVersion, id, ...outputMessages(outputs, raw) };
    },
    ModelConfig: ({ name, version }, { requestId }) => {
      const described = modelConfig(chooseVersion(models, name, version, requestId), parts.limits.maximumImages);
      return { config: { ...described, dynamic_batching: {} } };
    },
    ModelStatistics: ({ name, version }) => {
      const found = models.statuses().filter(({ version: candidate }) => {
        return (name === '' || candidate.name === name) && (version === '' || String(candidate.version) === version);
      });
      if (found.length === 0 && name !== '') throw notFound(name, version);
      return { model_stats: found.map((status) => statistics.of(status.version)) };
    },
    RepositoryIndex: ({ repository_name: repository, ready }) => {
      refuseRepository(repository);
      const found = models.statuses().filter(({ state }) => !ready || state === 'READY');
      return { models: found.map(indexEntry) };
    },
    RepositoryModelLoad: async ({ repository_name: repository, model_name: name, parameters }) => {
      refuseRepository(repository);
      refuseBroughtAlong(parameters);
      await models.load(requireModelName(name));
      return {};
    },
    RepositoryModelUnload: async ({ repository_name: repository, model_name: name }) => {
      refuseRepository(repository);
      await models.unload(requireModelName(name));
      return {};
    },
  };
}

const SERVER = serverMetadata();

/** Whether the service would be chosen by somebody who could go elsewhere. */
export function isReady({ models }: Pick<MethodParts, 'models'>): boolean {
  try {
    models.readyPredictor();
    return true;
  } catch {
    return false; // the reason is in the log
  }
}

function indexEntry({ version, state, reason }: VersionStatus) {
  return { name: version.name, version: String(version.version), state, reason };
}

function notFound(name: string, version: string): DomainError {
  const asked = version === '' ? name : `${name}/${version}`;
  return new DomainError('model-not-found', `${asked.slice(0, 128)} is not served.`);
}

function refuseRepository(name: string): void {
  if (name === '') return;
  const came = JSON.stringify(name.slice(0, 64));
  throw new DomainError('unsupported-feature', `repository_name ${came}: there is one repository, without a name.`);
}
