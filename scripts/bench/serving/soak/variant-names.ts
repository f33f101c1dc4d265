export const SERVICE = 'service';
export const PLANTED_LEAK = 'planted-leak';
export const VARIANT_NAMES = [SERVICE, PLANTED_LEAK] as const;

/** What a leak is told in: bytes kept for so many requests. */
export const REQUESTS_OF_A_SLOPE = 100_000;

/** Less than ten bytes a request is no leak that anybody will meet. */
export const LEAK_BYTES = 1_000_000;

/** Of a request, in the control. */
export const PLANTED_BYTES = 1024;
