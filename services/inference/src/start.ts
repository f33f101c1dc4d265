import { listen, type Listening, type Log } from '@atelier/http';
import type { PublishedVersion } from '@atelier/model-repository';
import { buildApp } from './app.ts';
import type { InferenceConfig } from './config.ts';
import { createFilesDecoder } from './image/decode.ts';
import { loadPredictor } from './predictor/worker-predictor.ts';
import { serveNewest } from './models/serve-newest.ts';

export interface RunningInference extends Listening {
  /** Resolves when a version has been chosen or none was found; the service answers before that. */
  settled: Promise<void>;
  /** The version that was chosen, if any. */
  served(): PublishedVersion | undefined;
}

/**
 * Starts the whole service. `close` lets it be known that it stops, stops accepting, finishes requests in flight, and
 * releases the engine.
 */
export async function startInference(config: InferenceConfig, log: Log): Promise<RunningInference> {
  const { modelsDirectory: root, modelName: name } = config;
  const model = serveNewest({ root, name, load: (version) => loadPredictor(version, { log }) }, log);
  const app = buildApp({ model, decode: createFilesDecoder(config.maximumPixels), config, log });
  const server = await listen(app, config.host, config.port, { log });
  log.info(`Inference listens on ${server.url}`);
  return {
    url: server.url,
    settled: model.start(),
    served: () => model.served(),
    async close() {
      model.announceStop();
      await server.close();
      await model.close();
    },
  };
}
