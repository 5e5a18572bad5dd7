import packageFile from '../../package.json' with { type: 'json' };

/** The one instrumentation scope of all that is said. */
export const SCOPE = { name: packageFile.name, version: packageFile.version };
