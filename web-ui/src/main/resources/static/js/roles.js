/** Roles of accounts as one reads them. */
export const ROLES = { admin: 'Administrator', user: 'User' };
