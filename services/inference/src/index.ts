export * from './access.ts';
export { type AppParts, buildApp } from './app.ts';
export { InferenceConfig, readConfig } from './config.ts';
export * from './contract/image.ts';
export * from './contract/evaluate.ts';
export * from './contract/labels.ts';
export { inferenceApi } from './contract/api.ts';
export * from './contract/models.ts';
export * from './contract/predict.ts';
export * from './contract/predict-batch.ts';
export {
  createFilesDecoder,
  createImageDecoder,
  type DecodedFile,
  type DecodedFiles,
  type DecodedImage,
  DEFAULT_IMAGE_OPTIONS,
  type FileDecoder,
  type FilesDecoder,
  type ImageDecoder,
  type ImageFile,
  PICTURES_PER_DECODER,
} from './image/decode.ts';
export { DecodeSlots } from './image/decode-slots.ts';
export * from './batching/admission.ts';
export * from './batching/buckets.ts';
export * from './batching/clock.ts';
export * from './batching/drain-rate.ts';
export type { Runnable } from './batching/jobs.ts';
export * from './batching/observer.ts';
export * from './batching/scheduler.ts';
export { Channel } from './compute/channel.ts';
export { chooseDevice } from './compute/choose-device.ts';
export { waitedForCoreMs } from './compute/core-wait.ts';
export * from './compute/device-faults.ts';
export { PROBE_MODEL } from './compute/device-probe.ts';
export * from './compute/frames.ts';
export { tryDeviceAlone } from './compute/try-device.ts';
export { installedRuntime } from './compute/provider-libraries.ts';
export { decodersCheck } from './doctor/decoders-check.ts';
export { deviceChecks as inferenceDeviceChecks } from './doctor/device-checks.ts';
export { versionCheck } from './doctor/version-check.ts';
export { inferenceChecks } from './doctor/inference-checks.ts';
export * from './compute/messages.ts';
export { type OpenEvaluation, openEvaluation } from './evaluation/open-evaluation.ts';
export { evaluate, type EvaluationTask, type Progress } from './evaluation/evaluate.ts';
export type { BulkParts } from './evaluation/answer-files.ts';
export type { SetLimits } from './evaluation/limits.ts';
export { Scratch } from './evaluation/scratch.ts';
export { StoredFile } from './evaluation/sources/stored-file.ts';
export * from './evaluation/sources/labelled-set.ts';
export type { SetOpening } from './evaluation/sources/set-opening.ts';
export { openSetAt, openSetOf } from './evaluation/sources/open-set.ts';
export { type DatasetPlaces, openDatasetSet } from './evaluation/sources/dataset-set.ts';
export { type PackedFile, plainFile, unpack } from './evaluation/sources/packed-file.ts';
export { type LabelsReading, readLabelsCsv } from './evaluation/sources/labels-csv.ts';
export { classOfFolder } from './evaluation/sources/labels.ts';
export { plainPng } from './image/plain-png.ts';
export { BulkProcess, type Decoded } from './compute/bulk-process.ts';
export { loadPackedDecoder } from './compute/load-packed-decoder.ts';
export { OnlineTraffic } from './batching/online-traffic.ts';
export { BulkTurns } from './evaluation/bulk-turns.ts';
export { FileQueue } from './evaluation/file-queue.ts';
export { inOrder } from './evaluation/in-order.ts';
export type { MethodParts } from './grpc/methods.ts';
export { type GrpcOptions, type RunningGrpc, startGrpc } from './grpc/start-grpc.ts';
export * from './explain/explanation.ts';
export { gradientModel, GRADIENTS } from './explain/gradient-model.ts';
export * from './explain/occlusion.ts';
export { overlayOf } from './explain/overlay.ts';
export { IMAGE_FORMATS, type ImageFormat, imageFormat } from './image/formats.ts';
export type { ColourPicture, Mask, Picture } from './image/picture.ts';
export { channelsOf, distanceFromBackground } from './image/background-colours.ts';
export { borderPlaces } from './image/border.ts';
export { boxBlur } from './image/box-blur.ts';
export { centre } from './image/centre.ts';
export { componentsOf } from './image/components.ts';
export { cropped } from './image/crop.ts';
export { hasModelForm, negate } from './image/data-set-form.ts';
export { factsOf } from './image/facts.ts';
export { fillHoles } from './image/fill-holes.ts';
export { findGarment, type Found, type Garment } from './image/find-garment.ts';
export { flatten } from './image/flatten.ts';
export { greyOf } from './image/grey.ts';
export { mainParts } from './image/main-parts.ts';
export { onBlack } from './image/on-black.ts';
export { opened } from './image/opening.ts';
export { otsuThreshold } from './image/otsu.ts';
export { paletteOf } from './image/palette.ts';
export { fitPlane } from './image/plane.ts';
export { pngHeader } from './image/png-header.ts';
export { decidePolarity } from './image/polarity.ts';
export { withoutBody } from './image/without-body.ts';
export { stretched } from './image/stretch.ts';
export * from './predictor/checks.ts';
export * from './predictor/mirror-choice.ts';
export * from './predictor/predictor.ts';
export * from './predictor/engine.ts';
export { countCalls } from './observability/grpc-metrics.ts';
export { InferenceMetrics, type Watched } from './observability/inference-metrics.ts';
export { callOptions } from './open-inference/call-options.ts';
export { IMAGE_DATATYPES } from './open-inference/image-input.ts';
export * from './open-inference/infer.ts';
export { classify, type RequestedOutput } from './open-inference/outputs.ts';
export * from './open-inference/statistics.ts';
export * from './open-inference/tensor.ts';
export { OtlpExporter, type OtlpOptions } from './observability/otlp-exporter.ts';
export type { InferenceObserver, WaitingWork } from './observability/observers.ts';
export { PREPROCESSING } from './image/preprocessing.ts';
export { provenanceOf, setProvenance } from './provenance.ts';
export { rank } from './rank.ts';
export * from './trust/judge.ts';
export { DriftMonitor, MINIMUM_EXAMPLES } from './drift/drift-monitor.ts';
export { AnswerWindow } from './drift/answer-window.ts';
export { stabilityIndex } from './drift/stability-index.ts';
export * from './contract/drift.ts';
export { jsonImages } from './routes/json-images.ts';
export { packPixelRows } from './routes/pixel-rows.ts';
export * from './models/models.ts';
export { coalesced } from './models/coalesced.ts';
export { type Comparison, compareOutputs } from './models/compare-outputs.ts';
export { type ModelSource, type RepositoryModels, serveModels } from './models/serve-models.ts';
export type { TrafficObserver } from './models/traffic-observer.ts';
export { belongsTo, placeOf } from './models/traffic-share.ts';
export type { RepositoryFault } from './models/version-statuses.ts';
export { type RunningInference, defaultWorkers, startConfiguredEngine, startInference } from './start.ts';
