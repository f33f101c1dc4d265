/** Loads onnxruntime with its telemetry off, which it reads when its library loads. */
export async function loadOnnxruntime() {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}

export async function onnxruntimeVersion(): Promise<string> {
  const { env } = await loadOnnxruntime();
  return env.versions.node ?? env.versions.common;
}
