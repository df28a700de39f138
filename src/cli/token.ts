/** `rollcall token`: who may call the service, and what for. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { readSpan } from '../time.ts';
import type { Json, List } from './client.ts';
import { counted, note, print, printJson, printTable, shown } from './output.ts';
import { configOf, findRunning, openAlone, withClient } from './service.ts';

const usualScopes = 'inventory:read,ci:read,runs:write';

export function tokenCommand(): Command {
  const command = new Command('token').description('tokens: who may call the service, and what for');
  command
    .command('create')
    .description('make a token, and print it for the only time')
    .argument('<name>', 'whose it is; several tokens of one name are one speaker')
    .option('--scopes <scopes>', 'what it may do, with commas; unless given, what Ansible needs', usualScopes)
    .option('--change-ref <owner/repo#123>', 'the issue that stands for all that it does, where a call names no other')
    .option('--expires <when>', 'a span such as 90d, or a time such as 2027-01-31')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nThe token alone is on stdout.\n\nExamples:\n  rollcall token create controller-2\n  rollcall token create hooks --scopes ci:read,ci:write --expires 365d\n  (umask 077; rollcall token create backup-host > rollcall.token)',
    )
    .action(
      async (
        name: string,
        options: { scopes: string; changeRef?: string; expires?: string; json?: boolean },
        self: Command,
      ) =>
        await withClient(self, async (client) => {
          const token = await client.send('POST', '/tokens', {
            token_name: name,
            scopes: options.scopes.split(/[\s,]+/).filter((scope) => scope !== ''),
            ...(options.changeRef === undefined ? {} : { standing_change_ref: options.changeRef }),
            ...(options.expires === undefined ? {} : { expires_at: endOf(options.expires) }),
          });
          if (options.json) return printJson(token);
          const until = token.expires_at === null ? 'It does not expire' : `It expires at ${shown(token.expires_at)}`;
          note(`Made a token for ${name}: ${(token.scopes as string[]).join(', ')}. ${until}, and is not shown again.`);
          print(shown(token.token));
        }),
    );
  command
    .command('list')
    .description('all tokens, without what they are')
    .option('--all', 'revoked ones too')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall token list')
    .action(async ({ all, json }: { all?: boolean; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const tokens = await client.get<List<Json>>('/tokens');
        if (json) return printJson(tokens);
        const rows = tokens.items.filter((token) => all || token.revoked_at === null);
        printTable(
          ['NAME', 'SCOPES', 'EXPIRES', 'LAST USED', ...(all ? ['REVOKED'] : []), 'ID'],
          rows.map((token) => [
            token.token_name,
            scopesInWords(token.scopes as string[]),
            token.expires_at,
            token.last_used_at,
            ...(all ? [token.revoked_at] : []),
            token.token_id,
          ]),
          'There is no token.',
        );
      }),
    );
  command
    .command('revoke')
    .description('end a token by its id, or all of a name')
    .argument('<id or name>')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall token revoke controller-2')
    .action(async (which: string, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const answer = await client.send('DELETE', `/tokens/${encodeURIComponent(which)}`);
        if (json) return printJson(answer);
        print(`Revoked ${counted(Number(answer.revoked), 'token')}.`);
      }),
    );
  command
    .command('reset-admin')
    .description('write a new admin token in place of the former ones; the service must not be running')
    .addHelpText('after', '\nExample:\n  rollcall --data /var/lib/rollcall token reset-admin')
    .action(async (_options, self: Command) => {
      const config = await configOf(self);
      if (await findRunning(config))
        throw new StartError(`A service is using the data in ${config.data}. Stop it first, then run this again.`);
      const app = await openAlone(config);
      try {
        print(`Wrote a new admin token to ${await app.resetAdmin()}; the former ones are revoked.`);
      } finally {
        await app.close();
      }
    });
  return command;
}

function endOf(when: string): string {
  const span = readSpan(when);
  if (span === undefined || !/[smhd]$/.test(when.trim())) return when;
  return Temporal.Now.instant().add({ milliseconds: span }).toString();
}

function scopesInWords(scopes: readonly string[]): string {
  return scopes.includes('admin') ? 'everything' : scopes.join(' ');
}
