import { z } from 'zod';
import { expecting } from './section.ts';

/** RFC 9110 §9, RFC 5789, WebDAV, and PURGE of caches. Not CONNECT: this is no forward proxy. */
export const Method = expecting(
  z.enum([
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'QUERY',
    'PROPFIND',
    'PROPPATCH',
    'MKCOL',
    'COPY',
    'MOVE',
    'LOCK',
    'UNLOCK',
    'REPORT',
    'SEARCH',
    'PURGE',
  ]),
  'a method in upper case, such as `GET`',
);
