import { type InheritedSocket, resolveListen, takeInheritedSockets } from '../../os/inherited-sockets.ts';
import { takeServiceManager } from '../../os/service-manager.ts';
import { WaitingInterpreter } from '../../project/waiting-interpreter.ts';
import type { Site } from '../../site/schema/site.ts';
import { outputFor, passOnOutputs } from '../../workers/output.ts';
import type { Arguments } from '../arguments.ts';
import { type Configured, prepare } from '../prepare.ts';
import { Signals } from '../run-until-signal.ts';

/**
 * `viaduct serve`: finds the project and serves it until a signal ends the server. Resolves to the exit code. The code of the server is loaded while
 * Python starts and finds the project.
 */
export async function serve(parsed: Arguments): Promise<number> {
  const signals = new Signals();
  const sockets = takeInheritedSockets(process.env, process.pid);
  const managerOptions = takeServiceManager(process.env, process.pid);
  const waiting = new WaitingInterpreter([outputFor(1), outputFor(2)], passOnOutputs);
  const configure = async (interpreter?: WaitingInterpreter): Promise<Configured> => {
    const { configuration, loaded, findings, identity } = await prepare(parsed, interpreter);
    const isWeak = [undefined, 'PORT'].includes(loaded.origins.get('listen'));
    const listen = resolveListen(configuration.settings.listen, isWeak, sockets);
    const settings = { ...configuration.settings, listen };
    const site = withListen(configuration.site, sockets);
    return {
      configuration: { ...configuration, settings, site },
      configured: configuration.settings,
      loaded,
      findings,
      identity,
    };
  };
  try {
    const configuring = configure(waiting);
    await Promise.race([waiting.started, configuring]);
    const [configured, { runServer }] = await Promise.all([configuring, import('../run-server.ts')]);
    return await runServer(configured, { configure, signals, managerOptions, waiting });
  } finally {
    waiting.end();
  }
}

/** The site with the descriptors of the sockets that its routes name. */
function withListen(site: Site | null, sockets: readonly InheritedSocket[]): Site | null {
  if (site === null || !site.route.some(({ listen }) => listen.length > 0)) return site;
  const route = site.route.map((one) => ({ ...one, listen: [...resolveListen(one.listen, false, sockets)] }));
  return { ...site, route };
}
