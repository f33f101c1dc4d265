import { DomainError, messageOf } from '@atelier/domain';
import { completed, type Dataset, type DatasetOptions, type Search } from './dataset.ts';
import { DEBIAN_PACKAGE } from './debian-package.ts';
import { type Contents, type Edition, PARTS } from './edition.ts';
import { FilesMissing, readFolder } from './folder.ts';
import { readIdxExamples } from './idx.ts';
import { placesOf } from './places.ts';

/**
 * Finds Fashion-MNIST, fetches it where it is missing, verifies and reads it. Where `directory` is given it looks there
 * alone; else into the cache, the folder of the Debian package, the publisher's download, and the package by `apt-get`.
 * `dataset-not-found` names every place with its reason; a wrong file in `directory` is `dataset-corrupt`.
 */
export async function loadFashionMnist(options: DatasetOptions): Promise<Dataset> {
  const search = completed(options);
  search.signal.throwIfAborted();
  if (options.directory === undefined) return searchPlaces(search);
  return assemble(await readFolder(options.directory, search.edition), search.edition, options.directory);
}

async function searchPlaces(search: Search): Promise<Dataset> {
  const faults: unknown[] = [];
  for (const { name, read } of placesOf(search)) {
    try {
      return assemble(await read(), search.edition, name);
    } catch (error) {
      search.signal.throwIfAborted();
      faults.push(error);
      // Missing files are no news; they are listed when nothing else works either.
      if (!(error instanceof FilesMissing)) search.onNotice(messageOf(error));
    }
  }
  throw notFound(faults, search);
}

function assemble(contents: Contents, edition: Edition, source: string): Dataset {
  const named = (part: keyof Contents) => ({ bytes: contents[part], file: edition[part].name });
  return {
    train: readIdxExamples(named('trainImages'), named('trainLabels')),
    test: readIdxExamples(named('testImages'), named('testLabels')),
    digest: edition.digest,
    source,
  };
}

function notFound(faults: unknown[], { cacheDirectory, edition }: Search): DomainError {
  const lines = [
    'Fashion-MNIST was found in none of these places:',
    ...faults.map((fault) => `- ${messageOf(fault)}`),
    `To go on, put ${PARTS.map((part) => edition[part].name).join(', ')} (plain or .gz) into ${cacheDirectory},`,
    `or name their folder in FASHION_MNIST_DIR, or install the package ${DEBIAN_PACKAGE} of Debian or Ubuntu.`,
  ];
  return new DomainError('dataset-not-found', lines.join('\n'), { cause: new AggregateError(faults) });
}
