#!/bin/sh
# Runs what README.md shows, in its order, and checks every promise of it.
set -eu
. "$(dirname -- "$0")/../lib.sh"

# serve NAME [FILE [SED_ARGUMENT…]]: a fresh instance, with nothing counted yet.
serve() {
  serve_name=$1
  serve_file=${2:-proxy.yaml}
  [ $# -lt 2 ] || shift
  shift
  start_signalbox "$serve_name" "$here/$serve_file" \
    -e "s/:8000/:$(port_of backend1)/; s/:8001/:$(port_of backend2)/" "$@"
}

# counted STATUS METRICS: the requests of clients that got this answer, /metrics itself left out.
counted() {
  printf '%s\n' "$2" | grep '^http_server_request_duration_seconds_count{' | grep "status_code=\"$1\"" |
    grep -v 'route="/metrics"' | sed 's/.* //'
}

start_upstream backend1
start_upstream backend2

# -- quick start --------------------------------------------------------------------------------------

serve quick-start
answer=$(ask "$url/test")
has 'a request passes' '^HTTP/1.1 200 ' "$answer"
has 'the backend is told of the proxy' '^x-proxy: signalbox$' "$answer"
has 'the client is told of the backend' \
  "^X-Backend: 127.0.0.1:($(port_of backend1)|$(port_of backend2))\$" "$answer"
has 'the client is told what is left' '^X-Rate-Limit-Remaining: 9$' "$answer"
answer=$(ask "$url/metrics")
has '/metrics answers on the port of the traffic' '^# TYPE http_server_request_duration_seconds histogram$' \
  "$answer"
same '/metrics counts the request' 1 "$(counted 200 "$answer")"
names=$(upstreams "$url/?[1-6]")
has 'six requests alternate' '^(backend. backend.) \1 \1$' "$names"
same 'six requests are three each' '3 x backend1, 3 x backend2' "$(tally "$names")"
stop quick-start

# -- limit --------------------------------------------------------------------------------------------

serve limit
codes=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do codes="$codes $(statuses "$url/")"; done
same 'of 15 requests, 10 pass and 5 are too many' \
  ' 200 200 200 200 200 200 200 200 200 200 429 429 429 429 429' "$codes"
answer=$(ask "$url/")
has '429 says what the limit is' '^X-Rate-Limit-Limit: 10$' "$answer"
has '429 says that nothing is left' '^X-Rate-Limit-Remaining: 0$' "$answer"
has '429 says when the window is over' '^X-Rate-Limit-Reset: (5[0-9]|60)$' "$answer"
has '429 says when to come back' '^Retry-After: (5[0-9]|60)$' "$answer"
same 'no header gives a client another address' 429 "$(statuses -H 'X-Forwarded-For: 203.0.113.9' "$url/")"
same 'another client has a limit of its own' 200 "$(statuses --interface 127.0.0.2 "$url/")"

same '/metrics is not limited' '200 200 200 200 200 200 200 200 200 200 200 200' \
  "$(statuses "$url/metrics?[1-12]")"
metrics=$(curl -s "$url/metrics")
has '/metrics has a histogram by method and status' '_seconds_bucket\{.*method="GET".*status_code="200".*le="0.01"' \
  "$metrics"
same '/metrics counts what passed' 11 "$(counted 200 "$metrics")"
same '/metrics counts what was too many' 7 "$(counted 429 "$metrics")"
stop limit

# -- load ---------------------------------------------------------------------------------------------

# What `ab -n 10000 -c 50` is for, in small.
serve load
codes=$(statuses --parallel --parallel-max 50 "$url/?[1-500]" 2> "$tmp/progress")
same '500 requests over 50 connections: the limit holds, none fails' '10 x 200, 490 x 429' "$(tally "$codes")"
stop load

# -- failover -----------------------------------------------------------------------------------------

serve failover
same 'two backends serve' '1 x backend1, 1 x backend2' "$(tally "$(upstreams "$url/?[1-2]")")"
stop backend2 KILL || true
same 'one is killed: no request fails, the other serves them all' '8 x backend1' \
  "$(tally "$(upstreams "$url/?[1-8]")")"
stop failover

# Of three backends that fail, two are asked.
start_upstream backend2
start_upstream backend3
serve one-retry proxy.yaml -e "/:8001/a\\
    - url: http://127.0.0.1:$(port_of backend3)"
same 'an attempt that fails gives 502' 502 "$(statuses "$url/hangup")"
same 'an attempt that fails is made once more' 2 "$(seen 'GET /hangup' backend1 backend2 backend3)"
same 'a POST that fails gives 502' 502 "$(statuses -X POST "$url/hangup")"
same 'a POST is never sent twice' 1 "$(seen 'POST /hangup' backend1 backend2 backend3)"
for name in backend1 backend2 backend3; do stop $name KILL || true; done
answer=$(ask "$url/")
has 'no backend gives 503' '^HTTP/1.1 503 ' "$answer"
has '503 has the reason' '^Proxy-Status: signalbox; error=connection_refused$' "$answer"
stop one-retry

# -- shutdown -----------------------------------------------------------------------------------------

start_upstream backend1
start_upstream backend2
serve drain
ask "$url/slow" > "$tmp/slow" &
slow=$!
await drain grep -q '^GET /slow' "$tmp/backend1.log" "$tmp/backend2.log"
code=0
stop drain || code=$?
wait "$slow"
same 'SIGTERM: the exit code is that of a clean end' 0 "$code"
has 'SIGTERM: a request under way is finished' '^HTTP/1.1 200 ' "$(cat "$tmp/slow")"
has 'SIGTERM: its client is told not to come back on this connection' '^Connection: close$' "$(cat "$tmp/slow")"
same 'SIGTERM: nobody listens any more' 000 "$(statuses "$url/" || true)"

# -- behind nginx -------------------------------------------------------------------------------------

# What nginx sends, at the address that is trusted; 127.0.0.2 is anybody else.
serve nginx behind-nginx.yaml
same 'behind nginx: of one client, 10 requests pass' '10 x 200, 1 x 429' \
  "$(tally "$(statuses -H 'X-Forwarded-For: 203.0.113.9' "$url/?[1-11]")")"
same 'behind nginx: another client has a limit of its own' 200 \
  "$(statuses -H 'X-Forwarded-For: 203.0.113.10' "$url/")"
same 'behind nginx: what a client claimed before nginx added its address does not count' 429 \
  "$(statuses -H 'X-Forwarded-For: 203.0.113.11, 203.0.113.9' "$url/")"
answer=$(ask -H 'X-Forwarded-For: 203.0.113.12' -H 'X-Forwarded-Proto: https' "$url/")
has 'behind nginx: the backend is told of the client' '^x-forwarded-for: 203\.0\.113\.12' "$answer"
has 'behind nginx: the backend is told of https' '^x-forwarded-proto: https$' "$answer"
same 'from anybody else, X-Forwarded-For is not believed' \
  '200 200 200 200 200 200 200 200 200 200 429' \
  "$(for i in 1 2 3 4 5 6 7 8 9 10 11; do
    statuses --interface 127.0.0.2 -H "X-Forwarded-For: 198.51.100.$i" "$url/"
  done | paste -s -d ' ' -)"
has 'on the port of the traffic, /metrics is a path like any other' '^GET /metrics$' \
  "$(ask -H 'X-Forwarded-For: 203.0.113.13' "$url/metrics")"
has 'metrics are beside the admin API' '^http_server_request_duration_seconds_bucket' "$(ask "$admin/metrics")"
stop nginx

finish
