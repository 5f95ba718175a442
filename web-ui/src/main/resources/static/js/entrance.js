import { HealthWatch } from './health.js';
import { Session } from './session.js';
import { SignInView } from './sign-in-view.js';

// The door of the page. It is small and comes first: all else waits until it is known who is there.

export const health = new HealthWatch();
export const session = new Session(health);
new SignInView(session, health);

/** Fulfilled as soon as somebody is in. */
export const admitted = new Promise(resolve => {
  session.addEventListener('change', () => session.state === 'in' && resolve());
});
health.start();
