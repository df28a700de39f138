/** One line for one thing that happened, with its fields apart from its words. */

import { pino } from 'pino';
import { printable } from './printable.ts';

export type Logger = import('pino').Logger;

export const logLevels = ['error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** Writes to stderr: a line that a person reads, or JSON for those who collect it. */
export function openLog(level: LogLevel, format: LogFormat, write: (line: string) => void = writeToStderr): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(format === 'json' ? line : readable(line)) },
  );
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}

interface Line {
  time: string;
  level: string;
  msg?: string;
}

function readable(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown> & Line;
  const loud = level === 'info' ? '' : `${level}: `;
  const words = msg === undefined ? [] : [printable(msg).replaceAll('\n', ' ')];
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  return `${time.slice(0, 19)}Z ${loud}${[...words, ...rest].join(' ')}${troubleOf(err)}\n`;
}

function troubleOf(err: unknown): string {
  if (err === undefined || err === null) return '';
  if (typeof err !== 'object') return ` err=${shown(err)}`;
  const { stack, message } = err as { stack?: string; message?: string };
  return `\n${printable(stack ?? message ?? JSON.stringify(err))}`;
}

function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && /^[\w./:@-]+$/.test(value)) return value;
  return printable(JSON.stringify(value));
}
