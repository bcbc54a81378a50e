// The provider: node provider.mjs PORT READY_FILE KEYS…
//
// PORT 0 takes a free port. The issuer's URL is written to READY_FILE once requests are answered. The
// keys are those of all files named, and the first that fits signs.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Provider, errors } from 'oidc-provider';
import { SCOPES, clients, resourceServer } from './setting.mjs';

const [, , port, readyFile, ...keyFiles] = process.argv;
const keys = keyFiles.flatMap((file) => JSON.parse(readFileSync(file)).keys);

const server = createServer().listen(Number(port), '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: clients(),
  jwks: { keys },
  cookies: { keys: ['signs the cookies of one run'] },
  responseTypes: ['code', 'code id_token', 'code id_token token'],
  scopes: ['openid', ...SCOPES.split(' ')],
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  // Five minutes, so that tokens expire at different times.
  ttl: { IdToken: 300 },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_, url) {
        const info = resourceServer(url);
        if (!info) throw new errors.InvalidTarget();
        return info;
      },
    },
  },
});
provider.on('server_error', (_, error) => console.error(error));
server.on('request', provider.callback());

writeFileSync(`${readyFile}.new`, issuer);
renameSync(`${readyFile}.new`, readyFile);
