import { ViaductError } from '../../errors.ts';

/** The message of an error, with the traceback behind it. */
export function withCause({ message, cause }: Error): string {
  return typeof cause === 'string' ? `${message}\n${cause.trimEnd()}` : message;
}

/** All server processes have ended, and with them the sockets that the service manager passed. */
export function inheritedLost(): ViaductError {
  return new ViaductError(
    'LISTEN',
    'Cannot start new server processes: all have ended, and the inherited sockets are closed',
    {
      advice: 'Let the service manager restart Viaduct (Restart=on-failure).',
    },
  );
}
