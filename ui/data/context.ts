/** Where these pages are served: the path before all of theirs, such as `/__viaduct`; '' at the root. */
export const PREFIX: string = (
  document.querySelector<HTMLMetaElement>('meta[name="viaduct-prefix"]')?.content ?? ''
).replace(/\/$/, '');

const exported = document.getElementById('viaduct-trace');

/** Whether the page is an exported file with one trace in it: then it makes no request. */
export const IS_EXPORT: boolean = exported !== null;

/** The JSON of the trace in an exported file; '' without one. */
export const EXPORTED_TEXT: string = exported?.textContent ?? '';

/** The request that failed, on a page of the site that shows its failure; '' on all other pages. */
export const FAILED_ID: string =
  document.querySelector<HTMLMetaElement>('meta[name="viaduct-failed-request"]')?.content ?? '';
