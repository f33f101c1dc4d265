import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import request from 'supertest';
import { samplesIn } from '../support/metric-samples.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const OF = 'model="fashion-mlp",version="1"';

describe('GET /metrics of the inference service', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    service = await openInference(folder.path, { device: 'cpu' });
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });
  const scrape = async () => samplesIn((await request(service.app).get('/metrics').expect(200)).text);

  test('agrees with what was asked', async () => {
    const image = [...randomImage(1)];
    await request(service.app)
      .post('/predict')
      .send({ pixels: [image, image] })
      .expect(200);
    await request(service.app)
      .post('/predict')
      .send({ pixels: [image] })
      .expect(200);
    await request(service.app).post('/predict').send({ pixels: [] }).expect(422);
    const samples = await scrape();
    assert.equal(samples[`nv_inference_request_success{${OF}}`], 2);
    assert.equal(samples[`nv_inference_count{${OF}}`], 3);
    assert.equal(samples[`nv_inference_pending_request_count{${OF}}`], 0);
    assert.equal(samples['http_requests_total{method="POST",route="/predict",status="200"}'], 2);
    assert.equal(samples['http_requests_total{method="POST",route="/predict",status="422"}'], 1);
    assert.equal(samples['http_problems_total{code="invalid-request"}'], 1);
    assert.equal(samples['http_requests_in_progress'], 1, 'the scrape itself');
    assert.equal(samples[`model_version_state{${OF},state="READY"}`], 1);
    assert.equal(samples[`device_info{${OF},requested="cpu",actual="cpu",reason=""}`], 1);
    assert.ok((samples['process_resident_memory_bytes'] ?? 0) > 1e6);
  });
});
