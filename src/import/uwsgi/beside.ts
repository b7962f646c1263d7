import { appendCommand } from '../sidecar-tables.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import type { Option } from './option.ts';

/** `attach-daemon = celery -A shop worker`: a program that runs as long as the server. */
export function writeDaemon(option: Option, { builder, report }: WsgiContext): void {
  report.took(option);
  appendCommand(builder, 'process', option.value.trim(), null, option);
}

/** `attach-daemon2 = cmd=celery -A shop worker,stopsignal=15`. */
export function writeDaemonWithKeys(option: Option, context: WsgiContext): void {
  const pairs = option.value.split(/,(?=\w+=)/).map((pair) => pair.split(/=(.*)/s));
  const command = pairs.find(([key]) => key === 'cmd' || key === 'command' || key === 'exec')?.[1] ?? '';
  const others = pairs.map(([key = '']) => key).filter((key) => !/^(?:cmd|command|exec)$/.test(key));
  if (command === '') {
    context.report.lost(option, 'it has no command');
    return;
  }
  writeDaemon({ ...option, value: command }, context);
  if (others.length > 0) context.report.differs(option, `only its command: see [[process]] for ${others.join(', ')}`);
}

/** `cron = 59 2 -1 -1 -1 COMMAND`. -1 is every one, and -N every Nth. */
export function writeCron(option: Option, context: WsgiContext): void {
  const [, times = '', command = ''] = /^((?:-?\d+\s+){5})(\S.*)$/s.exec(option.value) ?? [];
  if (command === '') {
    context.report.lost(option, 'it is not MINUTE HOUR DAY MONTH WEEKDAY COMMAND');
    return;
  }
  writeSchedule(option, times.trim().split(/\s+/), command, context);
}

const CRON_KEYS = ['minute', 'hour', 'day', 'month', 'week'];

/** `cron2 = minute=-15,unique=1 COMMAND`. */
export function writeCronWithKeys(option: Option, context: WsgiContext): void {
  const [, keys = '', command = ''] = /^((?:\w+=[^,\s]*,?)*)\s+(\S.*)$/s.exec(option.value) ?? [];
  const pairs = new Map(
    keys.split(',').map((pair): [string, string] => [pair.replace(/=.*/s, ''), pair.replace(/^.*?=/s, '')]),
  );
  const times = CRON_KEYS.map((key) => pairs.get(key) ?? '-1');
  if (command === '' || times.some((time) => !/^-?\d+$/.test(time))) {
    context.report.lost(option, 'it is not KEY=NUMBER,… COMMAND');
    return;
  }
  writeSchedule(option, times, command, context);
  const others = [...pairs.keys()].filter((key) => key !== '' && !CRON_KEYS.includes(key) && key !== 'unique');
  if (others.length > 0) context.report.differs(option, `see [[schedule]] for ${others.join(', ')}`);
}

function writeSchedule(
  option: Option,
  times: readonly string[],
  command: string,
  { builder, report }: WsgiContext,
): void {
  const cron = times.map((time) => (time === '-1' ? '*' : time.startsWith('-') ? `*/${time.slice(1)}` : time));
  report.took(option);
  appendCommand(builder, 'schedule', command.trim(), null, option).set('cron', cron.join(' '), option);
}
