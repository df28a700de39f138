/** The process: arguments in, one command run, its exit code out. */

import { Refusal } from './cli/client.ts';
import { rollcallProgram } from './cli/program.ts';
import { DomainError, faultInWords, StartError } from './errors.ts';
import { printable } from './printable.ts';

// Whoever reads our output may have enough of it: "rollcall ci list | head".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await rollcallProgram().parseAsync();
} catch (error) {
  if (!isForPeople(error)) throw error;
  // One fault is in the sentence already.
  const several = error instanceof Refusal && error.faults.length > 1 ? error.faults : [];
  const faults = several.map((fault) => `  ${faultInWords(fault)}`);
  const candidates = error instanceof Refusal ? error.candidates.map((candidate) => `  ${candidate}`) : [];
  process.stderr.write(`${[error.message, ...faults, ...candidates].map(printable).join('\n')}\n`);
  process.exitCode = 1;
}

/** What the operating system refuses is told as it says it; anything else is a bug, and is shown whole. */
function isForPeople(error: unknown): error is Error {
  if (error instanceof StartError || error instanceof DomainError || error instanceof Refusal) return true;
  return error instanceof Error && 'syscall' in error;
}
