// Writes a fresh signing key for each algorithm: node keys.mjs NAME RSA_BITS > FILE
import { generateKeyPairSync } from 'node:crypto';

const [, , name, bits] = process.argv;
const rsa = { modulusLength: Number(bits) };
const key = (kid, members, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  kid: `${name}-${kid}`,
  use: 'sig',
  ...members,
});

process.stdout.write(JSON.stringify({
  keys: [
    key('rs256', { alg: 'RS256' }, 'rsa', rsa),
    key('ps256', { alg: 'PS256' }, 'rsa', rsa),
    key('es256', { alg: 'ES256' }, 'ec', { namedCurve: 'P-256' }),
    // Without `alg`: the provider signs with it under either name.
    key('ed25519', {}, 'ed25519'),
  ],
}));
