// A user with a browser: requests with a cookie jar, and the provider's development pages filled in.
import { createHash, randomBytes } from 'node:crypto';
import { REDIRECT_URI, SECRET } from './setting.mjs';

export const random = () => randomBytes(32).toString('base64url');

const expect = (condition, message) => {
  if (!condition) throw new Error(message);
};

export class Browser {
  #cookies = new Map();

  async request(url, form) {
    const { pathname } = new URL(url);
    const cookies = [...this.#cookies.values()].filter(({ path }) => pathname.startsWith(path));
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: cookies.map(({ pair }) => pair).join('; ') },
      body: form && new URLSearchParams(form),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(/;\s*/);
      const attribute = (name) => attributes
        .find((text) => text.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
      const path = attribute('path') ?? '/';
      const key = `${pair.split('=', 1)[0]} ${path}`;
      if (new Date(attribute('expires') ?? '9999-01-01') < new Date()) this.#cookies.delete(key);
      else this.#cookies.set(key, { pair, path });
    }
    return response;
  }

  /** Follows redirects and fills in forms until the browser is sent to the application. */
  async authorize(url, user) {
    let response = await this.request(url);
    for (let step = 0; step < 12; step += 1) {
      const location = response.headers.get('location');
      if (location?.startsWith(REDIRECT_URI)) return new URL(location);
      if (location) {
        response = await this.request(new URL(location, url));
      } else {
        const page = await response.text();
        const action = page.match(/<form[^>]* action="([^"]+)" method="post">/)?.[1];
        const prompt = page.match(/name="prompt" value="(login|consent)"/)?.[1];
        expect(action && prompt, `no form that is known (${response.status}): ${page}`);
        const form = prompt === 'login' ? { prompt, login: user, password: random() } : { prompt };
        response = await this.request(new URL(action, url), form);
      }
    }
    throw new Error(`the login of ${user} does not end`);
  }

  /** Ends the session at the provider, which tells its clients before it answers. */
  async endSession(issuer, idToken) {
    const page = await (await this.request(`${issuer}/session/end?id_token_hint=${idToken}`)).text();
    const action = page.match(/<form[^>]* action="([^"]+)"/)?.[1];
    const xsrf = page.match(/name="xsrf" value="([^"]+)"/)?.[1];
    expect(action && xsrf, `no form to log out: ${page}`);
    const response = await this.request(new URL(action, issuer), { xsrf, logout: 'yes' });
    expect(response.status === 303, `the session does not end: ${response.status}`);
  }
}

/** The token endpoint's answer to a client that authenticates with its secret. */
export const requestToken = async (issuer, clientId, form, headers = {}) => {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(SECRET)}`)}`,
      ...headers,
    },
    body: new URLSearchParams(form),
  });
  const answer = await response.json();
  expect(response.ok, `${clientId}: ${JSON.stringify(answer)}`);
  return answer;
};

/** A login, up to the redirect to the application. */
export const authorize = async (issuer, { clientId, user, responseType, resource, browser = new Browser() }) => {
  const verifier = random();
  const nonce = random();
  const state = random();
  const url = new URL(`${issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: responseType,
    scope: resource ? 'openid read:patients' : 'openid',
    nonce,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(resource && { resource }),
  });
  const location = await browser.authorize(url, user);
  const answer = Object.fromEntries(
    new URLSearchParams(responseType === 'code' ? location.search : location.hash.slice(1)),
  );
  // RFC 9207 §2.4: an ID token names the issuer, and then `iss` can be left out.
  const namesIssuer = answer.iss === issuer || answer.id_token;
  expect(answer.state === state && namesIssuer && answer.code, `not expected: ${location}`);
  const exchange = {
    grant_type: 'authorization_code',
    code: answer.code,
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
    ...(resource && { resource }),
  };
  return { answer, nonce, browser, exchange };
};
