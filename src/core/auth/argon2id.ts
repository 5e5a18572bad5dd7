/** The least that OWASP's password storage cheat sheet asks of argon2id. */
export const ARGON2ID = { memoryKib: 19_456, passes: 2, lanes: 1 } as const;
