import type { TestContext } from 'node:test';
import { readConfig, type RunningInference, startInference } from '@atelier/inference';
import { GrpcClient } from './grpc-client.ts';
import { publishTiny } from './published-version.ts';
import { recordedLog } from './recorded-log.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The whole service on ports of its own, with a tiny version to load and a client over gRPC; closed behind the test. */
export async function servedOverGrpc(
  t: TestContext,
  environment: Record<string, string>,
): Promise<{ service: RunningInference; client: GrpcClient }> {
  const folder = await temporaryFolder();
  await publishTiny(folder.path);
  const settings = { MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_GRPC_PORT: '0', DEVICE: 'cpu' };
  const service = await startInference(readConfig({ ...settings, ...environment }), recordedLog().log);
  const client = new GrpcClient(service.grpcAddress ?? '');
  t.after(async () => {
    client.close();
    await service.close(0);
    await folder.remove();
  });
  return { service, client };
}
