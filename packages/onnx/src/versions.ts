/**
 * The standard operator set that we write unless told otherwise. 17 is the last one in which the reductions take their
 * axes as attributes, has LayerNormalization, and is read by every onnxruntime since 1.12 (2022), in browsers too.
 */
export const DEFAULT_OPSET = 17;

/** The file format version that we write: the one ONNX released with opset 17; a newer one shuts older readers out. */
export const DEFAULT_IR_VERSION = 8;
