import { expect, test } from 'vitest';
import { withoutPlainSecrets } from '../../src/cli/plain-secrets.ts';
import { literalOf } from '../../src/json.ts';

const pem = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n';

test.each([
  ['ansible_password', 'x'],
  ['ansible_become_pass', 'x'],
  ['ansible_become_password', 12345],
  ['ansible_ssh_pass', 'x'],
  ['db_password', literalOf('1.0')],
  ['DB_PASSWORD', 'x'],
  ['dbPassword', 'x'],
  ['gitlab_token', 'x'],
  ['oidc_client_secret', { __ansible_unsafe: '{{ x' }],
  ['cloudflare_api_key', 'x'],
  ['apiKey', 'x'],
  ['wireguard_private_key', 'x='],
  ['wifi_psk', 'x'],
  ['motd', pem],
])('%s is a secret in plain text', (name, value) => {
  expect(withoutPlainSecrets({ [name]: value, other: 1 })).toEqual({ vars: { other: 1 }, secrets: [name] });
});

test.each([
  ['db_password', '{{ vault_db_password }}'],
  ['db_password', '{% if x %}y{% endif %}'],
  ['db_password', { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n61' }],
  ['db_password', '$ANSIBLE_VAULT;1.1;AES256\n61'],
  ['db_password', ''],
  ['db_password', null],
  ['sudo_nopasswd', true],
  ['require_password', true],
  ['ansible_ssh_private_key_file', '~/.ssh/id_ed25519'],
  ['api_token', '/run/secrets/api'],
  ['password_hash', '$6$x'],
  ['token_lifetime', 60],
  ['max_token', 60],
  ['tokens', 'x'],
  ['compass', 'north'],
  ['ssh_public_key', 'ssh-ed25519 AAAA'],
])('%s = %j is none', (name, value) => {
  expect(withoutPlainSecrets({ [name]: value })).toEqual({ vars: { [name]: value }, secrets: [] });
});

test('secrets deep inside are taken out alone, and named with their path', () => {
  const vars = {
    users: [{ name: 'a', password: 'x' }, { name: 'b' }],
    keys: ['ssh-rsa', pem],
    app: { env: { TOKEN: 'x' } },
  };

  expect(withoutPlainSecrets(vars)).toEqual({
    vars: { users: [{ name: 'a' }, { name: 'b' }], keys: ['ssh-rsa'], app: { env: {} } },
    secrets: ['users[0].password', 'keys[1]', 'app.env.TOKEN'],
  });
});
