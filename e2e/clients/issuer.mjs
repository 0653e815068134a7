// An OpenID Connect provider at which anybody signs in as whoever they say.
// Usage: node clients/issuer.mjs <port> <public URL of tidechart>
import Provider from 'oidc-provider'

const [port, tidechart] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'tidechart',
      client_secret: 'only-for-tests',
      redirect_uris: [`${tidechart}/login/provider/callback`],
      backchannel_logout_uri: `${tidechart}/login/provider/logout`,
      backchannel_logout_session_required: true,
    },
  ],
  // Its own pages to sign in; nothing of them comes from elsewhere.
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
  pkce: { required: () => true },
  // Without its guard against addresses of this machine, which is where tidechart is.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  cookies: { keys: ['only for tests'] },
})
provider.on('server_error', (_, e) => console.error('server_error', e))
provider.on('backchannel.error', (_, e) => console.error('backchannel.error', e))
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'))
process.stdin.on('end', () => process.exit()).resume() // ends with whoever started it
