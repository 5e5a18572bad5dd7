export type Environment = Readonly<Record<string, string | undefined>>;

/** The one place where the process's environment is read; everything else is given it. */
export function systemEnvironment(): Environment {
  return process.env;
}
