import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import {
  CountedInferences,
  createFilesDecoder,
  type GrpcOptions,
  type Models,
  type Outputs,
  type PredictOptions,
  type Predictor,
  startGrpc,
} from '@atelier/inference';
import { GrpcClient } from './grpc-client.ts';
import { type RecordedLog, recordedLog } from './recorded-log.ts';

export interface StubGrpcService extends RecordedLog {
  address: string;
  client: GrpcClient;
  /** What each prediction does from now on. */
  predict(images: Uint8Array, options: PredictOptions): Promise<Outputs>;
  /** Throws where there is no room. */
  admit(): void;
  /** Whether the service would be chosen. */
  ready: boolean;
  /** Without the client. */
  closeServer(): Promise<void>;
  close(): Promise<void>;
}

/** Rows [count, 10] whose first value is the first pixel of their image. */
export function firstPixels(images: Uint8Array): Outputs {
  const rows = new Float32Array((images.length / PIXELS_PER_IMAGE) * CLASS_COUNT);
  for (let row = 0; row * PIXELS_PER_IMAGE < images.length; row++) {
    rows[row * CLASS_COUNT] = images[row * PIXELS_PER_IMAGE] ?? NaN;
  }
  return { logits: rows, probabilities: rows };
}

/** gRPC on 127.0.0.1 over a model "m" with versions 2 and 3 that needs no engine, and a client of it. */
export async function stubGrpcService(options: Partial<GrpcOptions> = {}): Promise<StubGrpcService> {
  const recorded = recordedLog();
  const service = {
    predict: async (images: Uint8Array) => firstPixels(images),
    admit: () => undefined,
    ready: true,
  } as Pick<StubGrpcService, 'predict' | 'admit' | 'ready'>;
  const predictors = [2, 3].map((version) => {
    return {
      version: { name: 'm', version, manifest: { digest: `sha256:${version}`, classes: [] } },
      device: { requested: 'cpu', actual: 'cpu', reason: null },
      ready: true,
      predict: (images: Uint8Array, how: PredictOptions) => service.predict(images, how),
    } as unknown as Predictor;
  });
  const models = {
    choose({ name, version = 3 }) {
      const found = predictors.find((candidate) => candidate.version.version === version);
      if (name === 'm' && found !== undefined) return found;
      throw new DomainError('model-not-found', `${name}/${version} is not served.`);
    },
    readyPredictor() {
      if (service.ready) return predictors[1];
      throw new DomainError('shutting-down', 'The service is stopping.');
    },
    statuses: () => predictors.map(({ version }) => ({ version, state: 'READY', reason: '', labels: [] })),
    load: (name) => Promise.reject(new DomainError('model-not-found', name)),
    unload: () => Promise.resolve(),
  } as Partial<Models> as Models;
  const limits = { maximumImages: 256, maximumFiles: 32 };
  const decode = createFilesDecoder(1e6);
  const admit = () => service.admit();
  const parts = { models, decode, admit, limits, statistics: new CountedInferences() };
  const where = { host: '127.0.0.1', port: 0, maximumBodyBytes: 1024 * 1024 };
  const grpc = await startGrpc(parts, { ...where, access: { authorize: () => null }, log: recorded.log, ...options });
  const client = new GrpcClient(grpc.address);
  return Object.assign(service, recorded, {
    address: grpc.address,
    client,
    closeServer: () => grpc.close(),
    close: async () => {
      client.close();
      await grpc.close();
    },
  });
}

/** A request of `ModelInfer` for images in raw contents. */
export function rawRequest(images: Uint8Array, change: object = {}): object {
  const shape = [images.length / PIXELS_PER_IMAGE, 28, 28];
  return {
    model_name: 'm',
    inputs: [{ name: 'image', datatype: 'UINT8', shape }],
    raw_input_contents: [images],
    ...change,
  };
}
