/** In production, how long a changed static file may still be served as it was. */
export const STATIC_REVALIDATE_MS = 1000;
