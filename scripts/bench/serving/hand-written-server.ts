// What one would write by hand: an Express route that runs the session for each request. Takes its task as its word.
import express from 'express';
import { loadOnnxruntime } from '../onnxruntime.ts';

/** JSON, because a process is started with words. */
export interface HandWrittenTask {
  port: number;
  /** Path of model.onnx. */
  model: string;
  /** Null: whatever the runtime takes by itself. */
  intraOpNumThreads: number | null;
}

const { port, model, intraOpNumThreads } = JSON.parse(process.argv[2] ?? '') as HandWrittenTask;
const { InferenceSession, Tensor } = await loadOnnxruntime();
const session = await InferenceSession.create(model, intraOpNumThreads === null ? {} : { intraOpNumThreads });

async function probabilitiesOf(image: Uint8Array): Promise<number[]> {
  const outputs = await session.run({ image: new Tensor('uint8', image, [1, 28, 28]) });
  return Array.from(outputs['probabilities']?.data as Float32Array);
}

const app = express();
app.get('/readyz', (_request, response) => void response.json({ status: 'ready' }));
app.post('/predict', express.json({ limit: '8mb' }), async (request, response) => {
  const { pixels } = request.body as { pixels: number[][] };
  response.json({ probabilities: await probabilitiesOf(Uint8Array.from(pixels[0] ?? [])) });
});
app.post('/binary', express.raw({ limit: '8mb' }), async (request, response) => {
  response.json({ probabilities: await probabilitiesOf(request.body as Buffer) });
});
const server = app.listen(port, '127.0.0.1');

process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => void session.release().then(() => process.exit(0)));
});
process.on('disconnect', () => process.exit(1));
