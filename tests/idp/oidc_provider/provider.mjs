// A certified OpenID provider for one site. People are read from a file at each use: {"name": {"groups": […], …}}.
import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const { PORT, SITE, PEOPLE, SECRET } = process.env;
const person = (id) => JSON.parse(readFileSync(PEOPLE, 'utf8'))[id];

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [{
    client_id: 'gatepass',
    client_secret: SECRET,
    redirect_uris: [`${SITE}/sign-in/corp/callback`],
    post_logout_redirect_uris: [`${SITE}/sign-in`],
    backchannel_logout_uri: `${SITE}/sign-in/corp/back-channel-logout`,
    backchannel_logout_session_required: true,
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true },
  cookies: { keys: ['of the tests'] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
  // It would send no message to this very machine otherwise.
  fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
  async findAccount(_, id) {
    const found = person(id);
    return found && { accountId: id, claims: async () => ({ sub: id, preferred_username: id, ...found }) };
  },
});
provider.listen(PORT, '127.0.0.1', () => console.log('ready'));
