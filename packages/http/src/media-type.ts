import { DomainError } from '@atelier/domain';

/** Of a media type in a message. */
const SHOWN_CHARACTERS = 64;

/** The media type of a Content-Type without its parameters, in small letters; empty where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1).join('').trim().toLowerCase();
}

/** `unsupported-media-type`: what was expected, and what came. */
export function unsupportedMediaType(expected: string, mediaType: string): DomainError {
  const came = mediaType === '' ? 'none' : JSON.stringify(mediaType.slice(0, SHOWN_CHARACTERS));
  return new DomainError('unsupported-media-type', `Expected Content-Type ${expected}; came ${came}.`);
}
