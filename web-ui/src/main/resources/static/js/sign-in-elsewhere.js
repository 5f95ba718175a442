// Signing in with another site's account: the ways there, and why somebody came back without one. See docs/accounts.md.

/** The sites by their names in an address and in `sign_in` of the server's health. */
const SITES = { github: 'GitHub', apple: 'Apple' };
/** What the page's address may name behind its path, so that one comes back to it. */
const ROUTE = /^#\/[\w/-]{1,100}$/;
const PARAMETER = 'sign_in_error';

const REASONS = {
  state_invalid: 'This sign-in was not begun in this browser, or was begun again since. Try once more.',
  state_expired: 'It took more than ten minutes to come back. Try once more.',
  state_used: 'This sign-in was used before. Try once more.',
  code_refused: 'The site you came from does not know this sign-in any more. Try once more.',
  session_ended: 'Your session ended before you came back. Sign in, and connect the accounts again.',
  sign_in_denied: 'The site you came from let nobody in, or you said no there.',
  email_not_verified: 'Your account there has no e-mail address that is confirmed. Confirm one there, and try once more.',
  id_token_invalid: 'Apple’s answer could not be believed. Try once more.',
  registration_closed: 'Nobody can register here; an administrator makes accounts.',
  account_disabled: 'This account is disabled.',
  sign_in_not_set_up: 'This server does not let people sign in that way.',
  email_taken: 'An account here has your e-mail address already. Sign in with its password, and connect the two in the account menu.',
  identity_taken: 'Another account here is connected with that one.',
  provider_failed: 'The site could not be asked, or gave no usable answer. Try again later.',
};

/**
 * @param {unknown} said `sign_in` of the server's health
 * @returns {string[]} the sites that this page knows
 */
export const knownSites = said => (Array.isArray(said) ? Object.keys(SITES).filter(site => said.includes(site)) : []);

/**
 * The ways to the sites, which come back to where the page is now.
 * @param {string[]} sites
 * @param {string} [csrfToken] connects the session's account with the one there
 * @returns {{site: string, name: string, href: string}[]}
 */
export function waysTo(sites, csrfToken = '') {
  const query = new URLSearchParams({ return_to: location.pathname + (ROUTE.test(location.hash) ? location.hash : '') });
  if (csrfToken !== '') query.set('csrf_token', csrfToken);
  return sites.map(site => ({ site, name: SITES[site], href: `/api/oauth/${site}?${query}` }));
}

/**
 * Why somebody came back without being let in, or connected, and takes it out of the page's address: it is said once.
 * @returns {string} empty where nobody did
 */
export function takeReason() {
  const query = new URLSearchParams(location.search);
  const code = query.get(PARAMETER);
  if (code === null) return '';
  query.delete(PARAMETER);
  const rest = query.size === 0 ? '' : `?${query}`;
  history.replaceState(null, '', location.pathname + rest + location.hash);
  return Object.hasOwn(REASONS, code) ? REASONS[code] : 'Signing in did not work. Try once more.';
}
