import { DEBIAN_FOLDER, type DebianTools } from './debian-package.ts';
import { type Edition, FASHION_MNIST } from './edition.ts';
import type { Examples } from './examples.ts';

export interface Dataset {
  /** 60,000, of each class 6,000. */
  readonly train: Examples;
  /** 10,000, of each class 1,000. */
  readonly test: Examples;
  /** `sha256:` and the sum over the four decompressed files: train images, train labels, test images, test labels. */
  readonly digest: string;
  /** The folder, address or package that it came from. */
  readonly source: string;
}

export interface DatasetOptions {
  /** Look here and nowhere else, and take any fault for an error. The command line passes FASHION_MNIST_DIR. */
  readonly directory?: string | undefined;
  /** Looked into first where `directory` is not given; what had to be fetched is kept here. */
  readonly cacheDirectory: string;
  /** Called for each piece of a download. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Called with a sentence where a step may take long, and where a place fails and the search goes on. */
  readonly onNotice?: ((message: string) => void) | undefined;
  /** Ends downloads and programs; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;

  /** Default: where the Debian package installs its files. */
  readonly systemDirectory?: string;
  /** Addresses of folders with the `.gz` files, tried in this order; default: the publisher's two. */
  readonly sources?: readonly string[];
  /** Null leaves the Debian package out; default: `apt-get` and `dpkg-deb`. */
  readonly debianTools?: DebianTools | null;
  /** Until a source answers; default 4,000. */
  readonly connectionTimeoutMs?: number;
  /** A download that is silent for so long is broken off and resumed; default 30,000. */
  readonly stallTimeoutMs?: number;
  /** The files looked for; default `FASHION_MNIST`. */
  readonly edition?: Edition;
}

export interface DownloadProgress {
  /** As the source names it, with `.gz`. */
  readonly file: string;
  /** Including what an earlier download had left. */
  readonly receivedBytes: number;
  /** Null where the source does not say. */
  readonly totalBytes: number | null;
}

/** Plain HTTP to the first: Amazon serves static websites no other way. The digests make up for it. */
const SOURCES = [
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
  'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion',
];

const DEBIAN_TOOLS: DebianTools = { aptGet: 'apt-get', dpkgDeb: 'dpkg-deb' };

/** The options of a search in the usual places, complete. */
export type Search = ReturnType<typeof completed>;

export function completed(options: DatasetOptions) {
  return {
    cacheDirectory: options.cacheDirectory,
    onProgress: options.onProgress ?? (() => undefined),
    onNotice: options.onNotice ?? (() => undefined),
    signal: options.signal ?? new AbortController().signal,
    systemDirectory: options.systemDirectory ?? DEBIAN_FOLDER,
    sources: options.sources ?? SOURCES,
    debianTools: options.debianTools === undefined ? DEBIAN_TOOLS : options.debianTools,
    connectionTimeoutMs: options.connectionTimeoutMs ?? 4_000,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    edition: options.edition ?? FASHION_MNIST,
  };
}
