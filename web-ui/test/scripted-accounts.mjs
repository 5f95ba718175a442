// Accounts, sessions and keys as docs/accounts.md describes them, in memory. Passwords are kept as they are.

const SCOPES = { admin: ['inference', 'conversations', 'keys', 'models', 'metrics', 'admin'], user: ['inference', 'conversations', 'keys'] };
const OPEN_PATHS = /^\/api\/(?:health|auth\/(?:login|register)|oauth\/\w+)$/;
const SHORTEST_PASSWORD = 8;

export class ScriptedAccounts {
  /** Whether one has to sign in. */
  areOn = false;
  /** Whether a key is wanted of everybody, which no page has. */
  wantsKey = false;
  registration = 'open';
  /** @type {{account: object, password: string}[]} */
  all = [];
  /** @type {Map<string, {account: object, csrf: string}>} by what the cookie says */
  sessions = new Map();
  /** @type {object[]} the newest first */
  keys = [];
  /** How often a wrong password may be tried. */
  tries = Infinity;
  /** Sites with whose accounts one can sign in: `github`, `apple`. */
  sites = [];
  /** Who comes back from there, which is at once; or the `code` why nobody does. */
  comesBack = { email: 'ana@example.com', name: 'Ana' };
  /** By which sites who may sign in, beside a password: `ana@example.com github`. */
  linked = new Set();
  /** Visits of the sites: what the page's address said, and whose account is connected by it. */
  visits = [];
  /** Whether every session ends as soon as somebody wants to change something. */
  endAtChange = false;
  /** Requests that change something: `POST /api/keys`, and whether they brought the session's token. */
  changes = [];
  #makeChats;
  #chats = new Map();
  #count = 0;

  /** @param {(accountId: string) => import('./scripted-chats.mjs').ScriptedChats} makeChats */
  constructor(makeChats) {
    this.#makeChats = makeChats;
  }

  get health() {
    const registration = this.all.length === 0 ? 'first' : this.registration;
    return { accounts: this.areOn, ...(this.areOn && { registration, sign_in: ['password', ...this.sites] }) };
  }

  /** Adds an account; the first one owns what was stored without accounts. */
  add({ email, password = 'correct horse', name = '', role }) {
    const isFirst = this.all.length === 0;
    const account = { id: isFirst ? 'local' : `user_${++this.#count}`, email, name, role: role ?? (isFirst ? 'admin' : 'user'), has_password: password !== '', disabled: false, created_at: new Date().toISOString() };
    this.all.push({ account, password });
    return account;
  }

  /** Ends every session, as when they have run out or somebody signed out everywhere. */
  endSessions() {
    this.sessions.clear();
    for (const chats of this.#chats.values()) chats.breakStreams();
  }

  /** Whether whoever asks has a scope. */
  mayDo(request, scope) {
    return who(this.#session(request)).scopes.includes(scope);
  }

  /** The stored conversations of whoever asks. */
  chatsOf(request) {
    const id = this.#session(request)?.account.id ?? 'local';
    if (!this.#chats.has(id)) this.#chats.set(id, this.#makeChats(id));
    return this.#chats.get(id);
  }

  /**
   * @param {() => Promise<object|undefined>} readBody
   * @returns {Promise<boolean>} whether the request is answered here: it is about accounts or keys, or is refused
   */
  async handle(request, response, path, readBody) {
    const isOurs = /^\/api\/(?:accounts|auth|oauth|keys)(?:\/|$)/.test(path);
    const refusal = /^\/(?:api|v1)\//.test(path) && !OPEN_PATHS.test(path) ? this.#refusal(request, path) : null;
    if (!refusal && !isOurs) return false;
    const { status = 200, body, headers = {} } = refusal ?? await this.#answer(request, path, await readBody());
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
    return true;
  }

  #session(request) {
    const token = /chasqui_session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
    return this.areOn ? this.sessions.get(token) : undefined;
  }

  #refusal(request, path) {
    if (this.wantsKey) return refused(401, 'No API key was given (expected: header Authorization: Bearer KEY).', 'invalid_api_key');
    if (!this.areOn) return null;
    if (this.endAtChange && request.method !== 'GET') this.sessions.clear();
    const session = this.#session(request);
    if (!session) return refused(401, 'The session has ended.', 'invalid_api_key');
    if (request.method === 'GET') return null;
    const hasToken = request.headers['x-csrf-token'] === session.csrf;
    this.changes.push({ what: `${request.method} ${path}`, hasToken });
    return hasToken ? null : refused(403, 'The request came with a session\'s cookie and without its token (expected: header x-csrf-token).', 'csrf_token_missing');
  }

  #answer(request, path, body) {
    const session = this.#session(request);
    const [, , , part] = path.split('/');
    if (path.startsWith('/api/oauth/')) return this.#visit(part, new URL(request.url, 'http://here').searchParams, session);
    if (path.startsWith('/api/accounts')) return this.#answerAccounts(request.method, part, body, session);
    if (path.startsWith('/api/keys')) return this.#answerKeys(request.method, part, body, session);
    if (part === 'login') return this.#login(body);
    if (part === 'register') return this.#register(body);
    if (part === 'me') return data(who(session));
    if (part === 'identities') return this.#answerIdentities(request.method, path.split('/')[4], session.account);
    if (part === 'logout') return this.#logout(session, body);
    return this.#changePassword(session, body);
  }

  #login({ email, password }) {
    if (this.tries <= 0) return refused(429, 'Too many wrong passwords; try again in 30 s.', 'too_many_sign_ins', { 'Retry-After': '30' });
    const known = this.all.find(each => each.account.email === email && each.password === password);
    if (known?.account.disabled) return refused(403, 'This account is disabled.', 'account_disabled');
    if (known) return this.#begin(known.account);
    this.tries--;
    return refused(401, 'The e-mail address or the password is wrong.', 'wrong_password');
  }

  #register({ email, password, name }) {
    if (this.all.length > 0 && this.registration !== 'open') return refused(403, 'Nobody can register here; an administrator makes accounts.', 'registration_closed');
    if (password.length < SHORTEST_PASSWORD) return tooShort(password);
    if (this.all.some(({ account }) => account.email === email)) return refused(409, 'There is an account with this e-mail address.', 'email_taken');
    return this.#begin(this.add({ email, password, name }));
  }

  #begin(account) {
    const token = `session-${++this.#count}`;
    const session = { account, csrf: `csrf-${this.#count}` };
    this.sessions.set(token, session);
    return { ...data(who(session)), headers: { 'Set-Cookie': `chasqui_session=${token}; Path=/; HttpOnly; SameSite=Lax` } };
  }

  /** Somebody goes to another site, and comes back from there at once. */
  #visit(site, query, session) {
    const returnTo = query.get('return_to') ?? '/';
    const links = session !== undefined && query.get('csrf_token') === session.csrf;
    this.visits.push({ site, returnTo, connects: links ? session.account.email : null });
    const { code, ...person } = this.comesBack;
    if (code !== undefined || !this.sites.includes(site)) return goOn(`/?sign_in_error=${code ?? 'sign_in_not_set_up'}`);
    const known = links ? session.account : this.all.find(({ account }) => account.email === person.email)?.account ?? this.add({ ...person, password: '' });
    this.linked.add(`${known.email} ${site}`);
    return goOn(returnTo, links ? {} : this.#begin(known).headers);
  }

  #answerIdentities(method, site, account) {
    const linked = this.sites.filter(each => this.linked.has(`${account.email} ${each}`));
    if (method === 'GET') return data({ identities: linked.map(provider => ({ provider, linked_at: new Date().toISOString() })) });
    if (linked.length === 1 && !account.has_password) return refused(409, 'You could not sign in any more: set a password first.', 'last_sign_in');
    this.linked.delete(`${account.email} ${site}`);
    return data({ provider: site, unlinked: true });
  }

  #logout(session, { everywhere = false }) {
    for (const [token, each] of this.sessions) if (each === session || (everywhere && each.account === session.account)) this.sessions.delete(token);
    return { ...data({ signed_out: true }), headers: { 'Set-Cookie': 'chasqui_session=; Path=/; Max-Age=0' } };
  }

  #changePassword(session, { current_password: current, password }) {
    const known = this.all.find(({ account }) => account === session.account);
    if (known.password !== (current ?? '')) return invalid('current_password: not the account\'s password');
    if (password.length < SHORTEST_PASSWORD) return tooShort(password);
    known.password = password;
    known.account.has_password = true;
    this.#endSessionsOf(session.account, session);
    return data({ changed: true });
  }

  #endSessionsOf(account, but) {
    for (const [token, each] of this.sessions) if (each !== but && each.account === account) this.sessions.delete(token);
  }

  #answerAccounts(method, id, body, session) {
    if (!who(session).scopes.includes('admin')) return refused(403, 'This needs the scope admin.', 'insufficient_scope');
    if (method === 'GET') return data({ accounts: this.all.map(({ account }) => account) });
    if (method === 'POST') return this.#make(body);
    const known = this.all.find(({ account }) => account.id === id);
    if (!known) return refused(404, 'There is no account of this id.', 'account_not_found');
    return method === 'DELETE' ? this.#remove(known) : this.#change(known, body);
  }

  #make({ email, password, name, role }) {
    if (password.length < SHORTEST_PASSWORD) return tooShort(password);
    if (this.all.some(({ account }) => account.email === email)) return refused(409, 'There is an account with this e-mail address.', 'email_taken');
    return data(this.add({ email, password, name, role }));
  }

  #change(known, { password, ...changes }) {
    const { account } = known;
    if (password !== undefined && password.length < SHORTEST_PASSWORD) return tooShort(password);
    const isAdministrator = ({ role, disabled }) => role === 'admin' && !disabled;
    const others = this.all.filter(each => each !== known && isAdministrator(each.account));
    if (others.length === 0 && !isAdministrator({ ...account, ...changes })) return refused(409, 'This is the last administrator (expected: another one beside it).', 'last_administrator');
    Object.assign(account, changes);
    if (password !== undefined) known.password = password;
    if (password !== undefined || changes.disabled) this.#endSessionsOf(account);
    return data(account);
  }

  #remove(known) {
    this.#endSessionsOf(known.account);
    this.all.splice(this.all.indexOf(known), 1);
    this.keys = this.keys.filter(key => key.user_id !== known.account.id);
    this.#chats.delete(known.account.id);
    return data({ id: known.account.id, deleted: true });
  }

  #answerKeys(method, id, body, session) {
    const owner = session?.account.id ?? 'local';
    if (method === 'POST') {
      const { scopes = ['inference'] } = body;
      const lacking = scopes.find(scope => !who(session).scopes.includes(scope));
      if (scopes.length === 0) return invalid('scopes: [] (expected: at least one scope)');
      if (lacking) return refused(403, `scopes: ${lacking}, which you do not have yourself.`, 'insufficient_scope');
      return data(this.#makeKey(owner, { ...body, scopes }));
    }
    const key = this.keys.find(each => each.id === id);
    if (method === 'DELETE') return data(Object.assign(key, { status: 'revoked', revoked_at: new Date().toISOString() }));
    return data({ keys: this.keys.filter(({ user_id: user, status }) => user === owner && status !== 'revoked') });
  }

  #makeKey(owner, { name = '', scopes, expires_in: lifetime, limits = {} }) {
    const days = Number.parseInt(lifetime ?? '', 10);
    const key = {
      id: `key_${++this.#count}`, name, hint: 'chq_Zk3…9fA2', user_id: owner, scopes,
      limits: { requests_per_minute: null, tokens_per_minute: null, parallel: null, ...limits }, status: 'active', created_at: new Date().toISOString(),
      expires_at: Number.isNaN(days) ? null : new Date(Date.now() + days * 86_400_000).toISOString(), revoked_at: null, last_used_at: null,
      usage: { requests: 0, prompt_tokens: 0, cached_tokens: 0, completion_tokens: 0 },
    };
    this.keys.unshift(key);
    return { ...key, key: `chq_Zk3hV9tqUe7xRw2mYbN4cLs8dJp6gFa1${this.#count}9fA2` };
  }
}

const who = session => ({
  account: session?.account ?? null,
  signed_in_by: session ? 'session' : 'nothing',
  scopes: SCOPES[session?.account.role ?? 'admin'],
  csrf_token: session?.csrf ?? null,
  expires_at: session ? new Date(Date.now() + 30 * 86_400_000).toISOString() : null,
});
const goOn = (location, headers = {}) => ({ status: 303, headers: { ...headers, Location: location } });
const data = value => ({ body: { success: true, data: value } });
const invalid = error => refused(400, error, 'invalid_value');
const tooShort = password => invalid(`password: a string of ${password.length} characters (expected: ${SHORTEST_PASSWORD} to 200)`);
const refused = (status, error, code, headers = {}) => ({ status, headers, body: { success: false, error, code } });
