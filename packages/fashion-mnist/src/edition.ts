/** One of the four files. The sum is of the decompressed file: whoever compresses afresh changes the .gz, never this. */
export interface DatasetFile {
  /** Without `.gz`; a folder may hold either form. */
  readonly name: string;
  /** Decompressed. */
  readonly sizeBytes: number;
  /** Of the decompressed file, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** Which bytes count as the data set. */
export interface Edition {
  readonly trainImages: DatasetFile;
  readonly trainLabels: DatasetFile;
  readonly testImages: DatasetFile;
  readonly testLabels: DatasetFile;
  /** `sha256:` and the sum over the four decompressed files one after the other, in the order of `PARTS`. */
  readonly digest: string;
}

/** The four files in the order in which the digest takes them. */
export const PARTS = ['trainImages', 'trainLabels', 'testImages', 'testLabels'] as const;
export type Part = (typeof PARTS)[number];

/** The decompressed bytes of each file. */
export type Contents = Record<Part, Uint8Array>;

/** Fashion-MNIST as published in 2017 (arXiv 1708.07747): 60,000 images to train on, 10,000 to test with. */
export const FASHION_MNIST: Edition = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    sizeBytes: 47_040_016,
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    sizeBytes: 60_008,
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    sizeBytes: 7_840_016,
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    sizeBytes: 10_008,
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
  digest: 'sha256:14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214',
};
