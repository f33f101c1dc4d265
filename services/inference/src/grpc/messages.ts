import type { MethodName } from './service.ts';

/** The messages of `inference.proto` that are read and written here, in the form that `schema.ts` gives them. */

/** One kind of it is set; its name stands in `parameter_choice`. */
export interface Parameter {
  parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' | 'double_param' | 'uint64_param' | 'bytes_param';
  bool_param?: boolean;
  int64_param?: number;
  string_param?: string;
  double_param?: number;
  uint64_param?: number;
  bytes_param?: Buffer;
}

export interface TensorContents {
  bool_contents: boolean[];
  int_contents: number[];
  int64_contents: number[];
  uint_contents: number[];
  uint64_contents: number[];
  fp32_contents: number[];
  fp64_contents: number[];
  bytes_contents: Uint8Array[];
}

export interface TensorMessage {
  name: string;
  datatype: string;
  shape: readonly number[];
}

export interface InputMessage extends TensorMessage {
  parameters: Record<string, Parameter>;
  contents: TensorContents | null;
}

export interface ModelInferRequest {
  model_name: string;
  model_version: string;
  id: string;
  parameters: Record<string, Parameter>;
  inputs: InputMessage[];
  outputs: { name: string; parameters: Record<string, Parameter> }[];
  raw_input_contents: Buffer[];
}

export interface ModelInferResponse {
  model_name: string;
  model_version: string;
  id: string;
  outputs: (TensorMessage & { contents?: Partial<TensorContents> })[];
  raw_output_contents?: Uint8Array[];
}

/** Empty: the service chooses, or for statistics all. */
export interface ModelName {
  name: string;
  version: string;
}

/** What each method takes and gives. */
export interface Messages {
  ServerLive: { request: object; response: { live: boolean } };
  ServerReady: { request: object; response: { ready: boolean } };
  ModelReady: { request: ModelName; response: { ready: boolean } };
  ServerMetadata: { request: object; response: { name: string; version: string; extensions: readonly string[] } };
  ModelMetadata: { request: ModelName; response: object };
  ModelInfer: { request: ModelInferRequest; response: ModelInferResponse };
  ModelConfig: { request: ModelName; response: { config: object } };
  ModelStatistics: { request: ModelName; response: { model_stats: readonly object[] } };
  RepositoryIndex: {
    request: { repository_name: string; ready: boolean };
    response: { models: { name: string; version: string; state: string; reason: string }[] };
  };
  RepositoryModelLoad: { request: RepositoryRequest; response: object };
  RepositoryModelUnload: { request: RepositoryRequest; response: object };
}

export interface RepositoryRequest {
  repository_name: string;
  model_name: string;
  parameters: Record<string, Parameter>;
}

/** Every method has its messages. */
type Covered = MethodName extends keyof Messages ? true : never;
export const COVERED: Covered = true;
