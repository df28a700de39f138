import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { rollcallProgram } from '../../src/cli/program.ts';

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}

/** What does something itself, and not only its subcommands. */
const doing = (command: Command): Command[] => [
  ...(command.commands.length === 0 || command.name() === 'inventory' ? [command] : []),
  ...command.commands.flatMap(doing),
];

test('every command has a help of its own with examples', () => {
  const program = rollcallProgram();

  const poor = doing(program).filter((command) => !/^Examples?:\n {2}\S*rollcall /m.test(helpOf(command)));

  expect(poor.map((command) => command.name())).toEqual([]);
  expect(doing(program).length).toBeGreaterThan(20);
});

test('the help says what the exit codes mean, and which service is spoken to', () => {
  const help = helpOf(rollcallProgram());

  expect(help).toContain('Exit code: 0 done, 1 failed or wrongly called, 2 done in part or held for a person.');
  expect(help).toContain('ROLLCALL_URL');
});
