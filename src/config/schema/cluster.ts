import { z } from 'zod';
import { isPrefix } from '#bus/names.ts';
import { parseNatsUrl } from '#bus/settings.ts';
import { messageOf } from '#core/errors.ts';
import { Anything, expecting, rule, secret } from './section.ts';
import { integer, text } from './values.ts';

/** What subjects of the bus, metrics and logs can hold. */
export const INSTANCE_ID = /^[A-Za-z0-9][\w-]{0,63}$/;
export const INSTANCE_ID_EXPECTED = '1 to 64 letters, digits, `-` and `_`, the first a letter or digit';

const File = text(/^[^\0]{1,4096}$/, 'the path of a file');

const Servers = secret(
  z
    .string()
    .max(4096)
    .transform((url, context) => {
      try {
        return parseNatsUrl(url);
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return z.NEVER;
      }
    }),
  'addresses such as `nats://host:4222`, joined by commas',
);

const Credential = secret(z.string().min(1).max(4096), 'a text of 1 to 4096 characters');

const TlsSection = z.strictObject({
  ca_file: File.optional().describe("PEM certificates to trust in place of the system's."),
  cert_file: File.optional().describe('PEM certificate of this instance, if the servers ask for one.'),
  key_file: File.optional().describe('Its private key, in PEM.'),
});

const FilesView = z.object({ cert_file: Anything, key_file: Anything });

const Tls = rule(TlsSection, FilesView, ({ cert_file, key_file }, report) => {
  if (cert_file !== undefined && key_file === undefined) report(['cert_file'], 'needs its `key_file`');
  if (key_file !== undefined && cert_file === undefined) report(['key_file'], 'needs its `cert_file`');
});

const NatsSection = z.strictObject({
  url: Servers.optional().describe(
    'One or more servers: `nats://user:password@host:4222` or `nats://token@host`, joined by commas; `tls://` asks for encryption. Default: the environment variable `NATS_URL`; and without it, the instance is alone.',
  ),
  user: Credential.optional().describe('Name to log in with, in place of that of the URL.'),
  password: Credential.optional().describe('Password of `user`.'),
  token: Credential.optional().describe('Token to log in with, in place of that of the URL.'),
  credentials_file: File.optional().describe(
    'File with a JWT and a seed, as `nsc generate creds` makes it. Files are read again for each connection; a relative path starts at the folder of this configuration.',
  ),
  tls: Tls.optional().describe('Encryption, and the files for it.'),
  prefix: expecting(z.string().refine(isPrefix), 'words of letters, digits and `-`, joined by dots')
    .optional()
    .describe('What all subjects and buckets begin with. Default: `signalbox.` and the name of the cluster.'),
});

const LoginView = z.object({
  url: z.object({ auth: z.object({ kind: z.string() }) }).optional(),
  user: Anything,
  password: Anything,
  token: Anything,
  credentials_file: Anything,
});

const Nats = rule(NatsSection, LoginView, ({ url, user, password, token, credentials_file }, report) => {
  if (user !== undefined && password === undefined) report(['user'], 'needs a `password`');
  if (password !== undefined && user === undefined) report(['password'], 'needs a `user`');
  const isInUrl = url !== undefined && url.auth.kind !== 'none';
  const logins = [isInUrl || undefined, user, token, credentials_file].filter((login) => login !== undefined);
  if (logins.length > 1) {
    report([], 'give one login: in the `url`, or `user` and `password`, or `token`, or `credentials_file`');
  }
});

export const Cluster = z.strictObject({
  name: text(/^[A-Za-z0-9-]{1,64}$/, '1 to 64 letters, digits and `-`')
    .default('default')
    .describe('Instances that share a bus and this name agree with each other.'),
  instance_id: text(INSTANCE_ID, INSTANCE_ID_EXPECTED)
    .optional()
    .describe(
      "Tells this instance from the others of the cluster, in metrics and on the bus. Default: the environment variable `SIGNALBOX_INSTANCE_ID`; and without it, the machine's name and six random digits.",
    ),
  observers: integer(1, 255)
    .default(5)
    .describe(
      'Instances that probe each upstream, if there are as many. What they find is the verdict of all; each instance also avoids what it cannot reach itself.',
    ),
  nats: Nats.optional().describe('The bus over which the instances of a cluster agree.'),
});
