import type { Middleware } from '../../src/wsgi/contract.ts';
import { validator } from '../../src/wsgi/validator/validator.ts';
import type { Violation } from '../../src/wsgi/validator/violation.ts';

/** A validator, and the violations that it found. */
export function recordViolations(): { readonly check: Middleware; readonly violations: readonly Violation[] } {
  const violations: Violation[] = [];
  return { check: validator({ onViolation: (violation) => void violations.push(violation) }), violations };
}
