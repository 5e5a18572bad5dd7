#!/bin/sh
# Runs what README.md shows, in its order, and checks every promise of it: on SQLite, then on Postgres.
set -eu
. "$(dirname -- "$0")/../lib.sh"

json='Content-Type: application/json'
user='{"email":"user@example.com","password":"SecurePass123!"}'

# The server has to be told: it would outlive a script that is killed.
end_with_postgres() {
  [ ! -f "$tmp/postgres.pid" ] || stop postgres || true
  end
}
trap end_with_postgres EXIT

unset DATABASE_URL JWT_SECRET SIGNALBOX_SECRET || true
export SIGNALBOX_DATA_DIR="$tmp/data"

for name in backend1 backend2 backend3; do start_upstream $name; done
to_upstreams="s/3000/$(port_of backend1)/; s/3001/$(port_of backend2)/; s/3002/$(port_of backend3)/"

# field NAME TEXT: a text field of a JSON answer.
field() {
  printf '%s\n' "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

# post PATH BODY [CURL_ARGUMENT…]
post() {
  post_path=$1
  post_body=$2
  shift 2
  ask -X POST "$url$post_path" -H "$json" -d "$post_body" "$@"
}

# walk_through WHERE: all that the README says, with an instance that has no account yet.
walk_through() {
  on=$1
  answer=$(ask "$url/health")
  has "$on: /health answers without a token" '^HTTP/1.1 200 ' "$answer"
  has "$on: /health is ok" '^\{"status":"ok","service":"signalbox"\}$' "$answer"

  answer=$(post /auth/register "$user")
  has "$on: register answers 201" '^HTTP/1.1 201 ' "$answer"
  shape='^\{"user_id":"[0-9a-f-]{36}","email":"user@example.com","access_token":"[^"]+","refresh_token":"[^"]+","token_type":"Bearer","expires_in":900\}$'
  has "$on: register gives tokens" "$shape" "$answer"
  has "$on: register may not be stored" '^Cache-Control: no-store$' "$answer"
  has "$on: the same email again is a conflict" '^HTTP/1.1 409 ' "$(post /auth/register "$user")"
  has "$on: a weak password is refused" '^HTTP/1.1 400 ' \
    "$(post /auth/register '{"email":"other@example.com","password":"weakweak"}')"

  answer=$(post /auth/login '{"email":"user@example.com","password":"WrongPass123!"}')
  has "$on: a wrong password gets 401" '^HTTP/1.1 401 ' "$answer"
  answer=$(post /auth/login "$user")
  has "$on: login answers 200" '^HTTP/1.1 200 ' "$answer"
  has "$on: login gives the same as register" "$shape" "$answer"
  access=$(field access_token "$answer")
  refresh=$(field refresh_token "$answer")
  user_id=$(field user_id "$answer")

  answer=$(ask "$url/" -H "Authorization: Bearer $access")
  has "$on: the token passes" '^HTTP/1.1 200 ' "$answer"
  has "$on: the backend answers" '^backend[123] says hello$' "$answer"
  has "$on: the backend knows who it is" "^x-user-id: ${user_id:-none}\$" "$answer"
  lacks "$on: the backend does not see the token" "${access:-none}" "$answer"
  has "$on: the answer names the proxy" '^X-Proxy-By: signalbox$' "$answer"
  has "$on: the answer has a request id" '^X-Request-ID: [0-9a-f]{32}$' "$answer"
  has "$on: the answer says how long it took" '^X-Response-Time: [0-9]+ms$' "$answer"

  answer=$(ask "$url/")
  has "$on: no token gets 401" '^HTTP/1.1 401 ' "$answer"
  has "$on: 401 asks for one" '^WWW-Authenticate: Bearer ' "$answer"
  same "$on: a wrong token gets 401" 401 "$(statuses "$url/" -H 'Authorization: Bearer wrong')"

  # A hundred a minute: the one request above is forgotten after 0.6 seconds.
  sleep 1
  same "$on: of 15 requests, 10 pass and 5 are too many" '10 x 200, 5 x 429' \
    "$(tally "$(statuses -H "Authorization: Bearer $access" "$url/?[1-15]")")"

  answer=$(post /auth/refresh "{\"refresh_token\":\"$refresh\"}")
  has "$on: refresh answers 200" '^HTTP/1.1 200 ' "$answer"
  has "$on: refresh gives the next tokens" \
    '^\{"access_token":"[^"]+","token_type":"Bearer","expires_in":900,"refresh_token":"[^"]+"\}$' "$answer"
  access=$(field access_token "$answer")
  refresh=$(field refresh_token "$answer")
  sleep 1
  same "$on: the new token passes" 200 "$(statuses -H "Authorization: Bearer $access" "$url/")"

  answer=$(post /auth/logout "{\"refresh_token\":\"$refresh\"}")
  has "$on: logout answers 200" '^HTTP/1.1 200 ' "$answer"
  has "$on: logout says so" '^\{"message":"Logged out successfully"\}$' "$answer"
  await "$instance" refused "$access"
  pass "$on: the access token is refused"
  has "$on: the refresh token is refused" '^HTTP/1.1 401 ' \
    "$(post /auth/refresh "{\"refresh_token\":\"$refresh\"}")"
  lacks "$on: the log has no password, token or email" 'SecurePass|WrongPass|user@example|eyJ' \
    "$(cat "$tmp/$instance.log")"
}

# refused TOKEN: every worker has heard of it.
refused() {
  [ "$(tally "$(statuses -H "Authorization: Bearer $1" "$url/?[1-8]")")" = '8 x 401' ]
}

# -- SQLite -------------------------------------------------------------------------------------------

start_signalbox sqlite "$here/proxy.yaml" -e "$to_upstreams"
walk_through SQLite
has 'EdDSA: the keys are published' '"kty":"OKP"' "$(ask "$url/.well-known/jwks.json")"
has 'EdDSA: there are keys to list' 'EdDSA +signing' "$("$signalbox" keys list --admin "$admin")"
has 'users are listed' 'user@example.com +active' "$("$signalbox" users list --admin "$admin")"
stop sqlite
start_signalbox again "$here/proxy.yaml" -e "$to_upstreams"
has 'accounts are still there after a restart' '^HTTP/1.1 200 ' "$(post /auth/login "$user")"
stop again

# -- Postgres and HS256 -------------------------------------------------------------------------------

run postgres "$node" "$here/postgres.ts"
await postgres grep -q '^listening on' "$tmp/postgres.log"
DATABASE_URL=$(port_of postgres)
JWT_SECRET=$("$node" -p 'crypto.randomBytes(32).toString("base64url")')
export DATABASE_URL JWT_SECRET
start_signalbox postgres-and-hs256 "$here/with-postgres.yaml" -e "$to_upstreams"
walk_through Postgres
same 'HS256: nothing is published' '{"keys":[]}' "$(curl -s "$url/.well-known/jwks.json")"

access=$(field access_token "$(post /auth/login "$user")")
sleep 6
names=$(upstreams -H "Authorization: Bearer $access" "$url/?[1-9]")
same 'round_robin: nine requests, three each' '3 x backend1, 3 x backend2, 3 x backend3' "$(tally "$names")"
stop postgres-and-hs256
stop postgres

finish
