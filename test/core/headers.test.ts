import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import {
  addVia,
  connectionNames,
  headerList,
  headerValue,
  isHopByHop,
  takesTrailers,
} from '#core/headers.ts';

describe('a header', () => {
  const headers = ['Accept', 'a', 'X-Many', '1', 'x-many', '2', 'X-MANY', '', 'accept', 'b'];

  it('is found whatever its case, the first one first', () => {
    assert.equal(headerValue(headers, 'x-many'), '1');
    assert.equal(headerValue(headers, 'x-other'), null);
    assert.equal(headerValue(headers, 'x-man'), null);
  });

  it('is the list of all its values, empty ones included', () => {
    assert.equal(headerList(headers, 'x-many'), '1, 2, ');
    assert.equal(headerList(headers, 'accept'), 'a, b');
    assert.equal(headerList(headers, 'x-other'), null);
  });

  it('may begin with anything that a token may', () => {
    for (const name of ['_own', '^own', '0own', '~own', 'own', '`own'])
      assert.equal(
        headerValue(['@wn', '', 'Own', '1', name.toUpperCase(), '2'], name),
        name === 'own' ? '1' : '2',
      );
  });

  it('is never confused with a value of the same text', () => {
    assert.equal(headerValue(['a', 'host', 'b', 'c'], 'host'), null);
  });
});

describe('Connection', () => {
  const named = (...values: string[]) => [
    ...(connectionNames(Fields.of(values.flatMap((value) => ['cOnNeCtIoN', value]))) ?? []),
  ];

  it('names headers in any case, over several lines, with any spacing', () => {
    assert.deepEqual(named('X-One,x-two ,\tX-THREE', 'close , x-four'), [
      'x-one',
      'x-two',
      'x-three',
      'close',
      'x-four',
    ]);
  });

  it('costs nothing where it only keeps or closes the connection', () => {
    assert.equal(connectionNames(new Fields()), null);
    for (const value of ['keep-alive', 'close'])
      assert.equal(connectionNames(Fields.of(['Connection', value])), null);
  });

  it('cannot take away what the message means or who sent it', () => {
    const endToEnd = [
      'Authorization',
      'Content-Encoding',
      'Content-Length',
      'Content-Type',
      'Cookie',
      'Host',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Anything',
    ];
    assert.deepEqual(named(endToEnd.join(', '), endToEnd.join().toLowerCase()), []);
  });
});

describe('hop-by-hop headers', () => {
  it('are those of RFC 9110 §7.6.1 and of the connection itself', () => {
    const names =
      'connection expect http2-settings keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection te transfer-encoding upgrade';
    for (const name of names.split(' ')) assert.ok(isHopByHop(name), name);
    for (const name of ['content-length', 'date', 'host', 'cookie', 'proxy-status', 'trailer', 'constructor'])
      assert.ok(!isHopByHop(name), name);
  });
});

describe('TE', () => {
  it('says whether trailers are taken', () => {
    for (const value of ['trailers', 'Trailers', 'deflate;q=0.5, trailers'])
      assert.ok(takesTrailers(Fields.of(['te', value])), value);
    assert.ok(takesTrailers(Fields.of(['TE', 'gzip', 'TE', 'trailers'])));
    for (const value of ['', 'gzip', 'trailers;q=1', 'xtrailers'])
      assert.ok(!takesTrailers(Fields.of(['TE', value])), value);
    assert.ok(!takesTrailers(Fields.of(['Trailer', 'trailers'])));
  });
});

describe('Via', () => {
  const via = (received: string | null, pseudonym: string | null) => {
    const fields = new Fields();
    addVia(fields, received, '1.1', pseudonym);
    return fields.flat();
  };

  it('gets our name behind those of others', () => {
    assert.deepEqual(via(null, 'box'), ['Via', '1.1 box']);
    assert.deepEqual(via('1.0 fred', 'box'), ['Via', '1.0 fred, 1.1 box']);
    assert.deepEqual(via('', 'box'), ['Via', '1.1 box']);
  });

  it('keeps the names of others where ours is turned off', () => {
    assert.deepEqual(via('1.0 fred', null), ['Via', '1.0 fred']);
    assert.deepEqual(via(null, null), []);
  });
});
