/** A request that asks a configuration what it would do. It is an HTTP/1.1 request. */
export interface Probe {
  /** The listening address as nginx normalizes it: `0.0.0.0:80`, `[::]:443`, `unix:/run/site.sock`. */
  readonly address: string;
  readonly secure: boolean;
  /** The address of the client. */
  readonly client: string;
  /** Whether a password and every subrequest for authorization would be accepted. */
  readonly authorized: boolean;
  readonly method: string;
  /** The request-target as received. */
  readonly target: string;
  /** Field lines, `Host` among them. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** What is at a path: both sides of a comparison ask the same disk. */
export type PathKind = 'file' | 'directory' | null;
export type Disk = (path: string) => PathKind;

/** Fields or CGI variables. A value of null is not known, and differs from nothing. */
export type FieldLines = readonly (readonly [name: string, value: string | null])[];

/** What becomes of a request. */
export type Outcome =
  | { readonly kind: 'closed' }
  /** The server answers by itself. `location` is absolute or a path; `content` is null where it is a usual error page, and `type` where it is not known. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly location: string | null;
      readonly content: string | null;
      readonly type: string | null;
      readonly fields: FieldLines;
    }
  /** A file is sent. `type` is the media type without parameters. `listing` is for a directory that is listed. */
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly listing: boolean;
      readonly status: number;
      readonly type: string | null;
      readonly fields: FieldLines;
    }
  /**
   * A backend gets it. `to` is like `http://127.0.0.1:8000`, `uwsgi://unix:/run/a.sock`, `https://…`; `sent` are the fields or CGI variables.
   * `status` is null, or what replaces the status of the backend's answer: `error_page 404 @backend` does that.
   */
  | {
      readonly kind: 'backend';
      readonly to: readonly string[];
      readonly method: string;
      readonly target: string;
      readonly status: number | null;
      readonly sent: FieldLines;
      readonly fields: FieldLines;
    }
  /** The model does not know: a directive or a variable that it does not interpret. `reason` names it. */
  | { readonly kind: 'unknown'; readonly reason: string };
