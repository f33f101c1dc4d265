export { type AppParts, buildApp } from './app.ts';
export { InferenceConfig, readConfig } from './config.ts';
export * from './contract/models.ts';
export * from './contract/predict.ts';
export {
  createFilesDecoder,
  createImageDecoder,
  type FilesDecoder,
  type ImageDecoder,
  type ImageFile,
} from './image/decode.ts';
export { DecodeSlots } from './image/decode-slots.ts';
export { IMAGE_FORMATS, type ImageFormat, imageFormat } from './image/formats.ts';
export type { Picture } from './image/picture.ts';
export * from './image/to-model-image.ts';
export * from './predictor/checks.ts';
export type { EngineTask, FromEngine, TensorDescription, ToEngine } from './predictor/engine-messages.ts';
export * from './predictor/predictor.ts';
export { loadPredictor, type PredictorOptions } from './predictor/worker-predictor.ts';
export { rank } from './rank.ts';
export { jsonImages } from './routes/json-images.ts';
export { packPixelRows } from './routes/pixel-rows.ts';
export * from './models/models.ts';
export { type ModelSource, type ServedModel, serveNewest } from './models/serve-newest.ts';
export { type RunningInference, startInference } from './start.ts';
