/** The descriptor of the decoder's pipe; those of the engines follow. */
export const DECODER_FD = 3;

/** What a process that computes is started with. */
export interface ComputeTask {
  /** The path of the engine thread's module. */
  engineEntry: string;
  /** The URL of onnxruntime's module. */
  runtime: string;
  /** How many of them. */
  engines: number;
  /** How many pictures are decoded at a time. */
  decoders: number;
}
