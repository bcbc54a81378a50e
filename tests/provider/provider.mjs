// The provider: node provider.mjs PORT READY_FILE LOGOUT_RECEIVER KEYS…
//
// PORT 0 selects a free port. The issuer's URL is written to READY_FILE once requests are answered. The
// keys are those of all files named, and the first that fits signs.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Provider, errors } from 'oidc-provider';
import { HEADER_NAMES, SCOPES, clients, resourceServer } from './setting.mjs';

const [, , port, readyFile, logoutReceiver, ...keyFiles] = process.argv;
const keys = keyFiles.flatMap((file) => JSON.parse(readFileSync(file)).keys);

const server = createServer().listen(Number(port), '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: clients(logoutReceiver),
  jwks: { keys },
  cookies: { keys: ['signs the cookies of one run'] },
  responseTypes: ['code', 'code id_token', 'code id_token token'],
  scopes: ['openid', ...SCOPES.split(' ')],
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  // Five minutes, so that tokens expire at different times.
  ttl: { IdToken: 300 },
  enabledJWA: { dPoPSigningAlgValues: Object.values(HEADER_NAMES).flat() },
  // By default the provider calls no loopback address.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: true },
    dPoP: {
      enabled: true,
      nonceSecret: randomBytes(32),
      requireNonce: (ctx) => ctx.oidc.route === 'userinfo',
    },
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
for (const event of ['backchannel.error', 'server_error']) provider.on(event, (_, error) => console.error(error));
server.on('request', provider.callback());

writeFileSync(`${readyFile}.new`, issuer);
renameSync(`${readyFile}.new`, readyFile);
