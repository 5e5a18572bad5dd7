#!/bin/sh
# Runs what README.md shows, in its order, and checks every promise of it.
set -eu
. "$(dirname -- "$0")/../lib.sh"

dev='Authorization: Bearer dev-token-123'
test='Authorization: Bearer test-token-456'

for name in backend1 backend2 backend3; do start_upstream $name; done
to_upstreams="s/3000/$(port_of backend1)/; s/3001/$(port_of backend2)/; s/3002/$(port_of backend3)/"

# -- health, tokens, limit ----------------------------------------------------------------------------

start_signalbox static "$here/proxy.yaml" -e "$to_upstreams"

answer=$(ask "$url/health")
has '/health answers without a token' '^HTTP/1.1 200 ' "$answer"
has '/health says that it is healthy' '^\{"status":"healthy"\}$' "$answer"
has '/health has the headers of the proxy' '^X-Request-ID: [0-9a-f]{32}$' "$answer"

answer=$(ask -H "$dev" "$url")
has 'a valid token passes' '^HTTP/1.1 200 ' "$answer"
has 'the backend answers' '^backend1 says hello$' "$answer"
lacks 'the backend does not see the token' 'dev-token-123' "$answer"
id=$(printf '%s\n' "$answer" | sed -n 's/^X-Request-ID: //p')
has 'the backend sees the request id that the client sees' "^x-request-id: ${id:-none}\$" \
  "$(printf '%s\n' "$answer" | sed '1,/^$/d')"
has 'the backend sees who forwards' '^x-proxy-by: signalbox$' "$(printf '%s\n' "$answer" | sed '1,/^$/d')"

served=$(seen 'GET /' backend1)
answer=$(ask "$url")
has 'no token gets 401' '^HTTP/1.1 401 ' "$answer"
has '401 says what is asked for' '^WWW-Authenticate: Bearer realm="signalbox"$' "$answer"
has '401 explains itself' '"error":"Authentication required"' "$answer"
answer=$(ask -H 'Authorization: Bearer wrong' "$url")
has 'a wrong token gets 401' '^HTTP/1.1 401 ' "$answer"
has '401 says that the token is wrong' '^WWW-Authenticate: Bearer .*error="invalid_token"$' "$answer"
has 'a scheme that is not configured gets 401' '^HTTP/1.1 401 ' "$(ask -H 'X-API-Key: dev-token-123' "$url")"
same 'the backend saw none of these' "$served" "$(seen 'GET /' backend1)"

# A hundred a minute: the one request above is forgotten after 0.6 seconds.
sleep 1
same 'of 15 requests, 10 pass and 5 are too many' \
  '200 200 200 200 200 200 200 200 200 200 429 429 429 429 429' "$(statuses -H "$dev" "$url/?[1-15]")"
answer=$(ask -H "$dev" "$url/?[1-15]")
has '429 says when to come back' '^Retry-After: 1$' "$answer"
has '429 says what the limit is' '^X-Rate-Limit-Limit: 100$' "$answer"
has '429 explains itself' '"error":"Rate limit exceeded"' "$answer"
same 'another token has a limit of its own' 200 "$(statuses -H "$test" "$url")"

# -- headers ------------------------------------------------------------------------------------------

answer=$(ask -I -H "$test" "$url")
has 'HEAD passes' '^HTTP/1.1 200 ' "$answer"
same 'HEAD arrives as HEAD' 1 "$(seen 'HEAD /' backend1)"
has 'the answer names the proxy' '^X-Proxy-By: signalbox$' "$answer"
has 'the answer has a request id' '^X-Request-ID: [0-9a-f]{32}$' "$answer"
has 'the answer says how long it took' '^X-Response-Time: [0-9]+ms$' "$answer"
lacks 'the answer hides what serves' '^Server:' "$answer"

# -- errors -------------------------------------------------------------------------------------------

answer=$(ask -H "$test" "$url/hangup")
has 'a backend that hangs up gives 502' '^HTTP/1.1 502 ' "$answer"
stop backend1 KILL || true
answer=$(ask -H "$test" "$url")
has 'no backend gives 503' '^HTTP/1.1 503 ' "$answer"
has '503 is problem details' '^Content-Type: application/problem\+json$' "$answer"
has '503 has the reason' '^Proxy-Status: signalbox; error=connection_refused$' "$answer"
has '503 says when to come back' '^Retry-After: [0-9]+$' "$answer"
same '/health still answers' 200 "$(statuses "$url/health")"
stop static
start_upstream backend1
to_upstreams="s/3000/$(port_of backend1)/; s/3001/$(port_of backend2)/; s/3002/$(port_of backend3)/"

# -- strategies ---------------------------------------------------------------------------------------

# More requests than the limit lets through at once.
more='s/burst_size: 10/burst_size: 100/'

start_signalbox in-turn "$here/three-backends.yaml" -e "$to_upstreams"
names=$(upstreams -H "$dev" "$url/?[1-9]")
same 'round_robin: nine requests, three each' '3 x backend1, 3 x backend2, 3 x backend3' "$(tally "$names")"
has 'round_robin: always in the same order' '^(backend. backend. backend.) \1 \1$' "$names"
stop in-turn

start_signalbox random "$here/three-backends.yaml" -e "$to_upstreams" -e "$more" -e 's/"round_robin"/"random"/'
names=$(upstreams -H "$dev" "$url/?[1-60]")
same 'random: all 60 requests are served' 60 "$(echo "$names" | wc -w | tr -d ' ')"
same 'random: all three backends serve' 3 "$(echo "$names" | tr ' ' '\n' | sort -u | wc -l | tr -d ' ')"
has 'random: in no order' '(backend.) \1' "$names"
stop random

start_signalbox least "$here/three-backends.yaml" -e "$to_upstreams" -e 's/"round_robin"/"least_conn"/'
ask -H "$dev" "$url/slow" > "$tmp/slow" &
slow=$!
await least grep -q '^GET /slow' "$tmp/backend1.log" "$tmp/backend2.log" "$tmp/backend3.log"
names=$(upstreams -H "$test" "$url/?[1-8]")
wait "$slow"
busy=$(sed -n 's/ says hello$//p' "$tmp/slow")
has 'least_conn: the slow request is served' '^backend[123]$' "$busy"
same 'least_conn: the eight during it are served' 8 "$(echo "$names" | wc -w | tr -d ' ')"
lacks 'least_conn: none of them where the slow one is' "${busy:-backend}" "$names"
stop least

# -- other credentials --------------------------------------------------------------------------------

start_signalbox api-key "$here/api-key.yaml" -e "$to_upstreams"
same 'api_key: a valid key passes' 200 "$(statuses -H 'X-API-Key: dev-token-123' "$url")"
answer=$(ask -H 'X-API-Key: wrong' "$url")
has 'api_key: a wrong key gets 401' '^HTTP/1.1 401 ' "$answer"
has 'api_key: 401 says which header to send' '^WWW-Authenticate: ApiKey .*x-api-key' "$answer"
same 'api_key: a bearer token gets 401' 401 "$(statuses -H "$dev" "$url")"
stop api-key

ALICE_HASH=$(printf 'a long password' | "$signalbox" hash)
export ALICE_HASH
start_signalbox basic "$here/basic.yaml" -e "$to_upstreams"
same 'basic: a token as it is passes' 200 "$(statuses -H 'Authorization: Basic dev-token-123' "$url")"
same 'basic: user and password pass' 200 "$(statuses -u 'alice:a long password' "$url")"
answer=$(ask -u 'alice:a wrong password' "$url")
has 'basic: a wrong password gets 401' '^HTTP/1.1 401 ' "$answer"
has 'basic: 401 makes browsers ask' '^WWW-Authenticate: Basic realm="signalbox"' "$answer"
same 'basic: an unknown user gets 401' 401 "$(statuses -u 'bob:a long password' "$url")"
same 'basic: a wrong token gets 401' 401 "$(statuses -H 'Authorization: Basic wrong' "$url")"
stop basic

finish
