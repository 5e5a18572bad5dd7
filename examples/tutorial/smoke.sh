#!/bin/sh
# Runs what README.md shows, in its order, and checks every promise of it; then every customization.
set -eu
. "$(dirname -- "$0")/../lib.sh"

# -- an authority of our own, in place of the one that vouches for one.one.one.one ---------------------

names=DNS:one.one.one.one,DNS:api.example.com,DNS:dns.google
new_key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
# Unquoted on purpose: several words.
# shellcheck disable=SC2086
{
  openssl req -x509 $new_key -subj '/CN=Example CA' -keyout "$tmp/ca.key" -out "$tmp/ca.pem"
  openssl req -x509 $new_key -subj '/CN=one.one.one.one' -addext "subjectAltName=$names" \
    -addext 'basicConstraints=CA:FALSE' -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" \
    -keyout "$tmp/key.pem" -out "$tmp/cert.pem"
} 2> "$tmp/openssl.log"

for name in one two three; do start_upstream $name "$tmp/key.pem" "$tmp/cert.pem"; done
for name in plain-one plain-two; do start_upstream $name; done

# serve FILE [SED_ARGUMENT…]: an instance with a file of this folder, before our upstreams.
serve() {
  serve_file=$1
  shift
  start_signalbox "$(basename "$serve_file" .yaml)" "$here/$serve_file" \
    -e "s|1.1.1.1:443|127.0.0.1:$(port_of one)|; s|1.0.0.1:443|127.0.0.1:$(port_of two)|" \
    -e "s|8.8.8.8:443|127.0.0.1:$(port_of three)|" \
    -e "s|1.1.1.1:80|127.0.0.1:$(port_of plain-one)|; s|1.0.0.1:80|127.0.0.1:$(port_of plain-two)|" "$@"
}

# customize FILE TITLE [SED_ARGUMENT…]: the same for a customization, with a title for what is said of it.
customize() {
  customize_file=$1
  title=$2
  shift 2
  serve "customizations/$customize_file" "$@"
}

# Requests that have to be within one window are, however busy the machine is.
long_window='s/window_seconds: 1$/window_seconds: 60/'

# -- the tutorials ------------------------------------------------------------------------------------

serve proxy.yaml
answer=$(ask "$url/")
has 'with a certificate that nobody vouches for, there is no answer' '^HTTP/1.1 502 ' "$answer"
has '502 has the reason' '^Proxy-Status: signalbox; error=tls_protocol_error$' "$answer"
stop "$instance"

# What the system's store of authorities is otherwise.
export NODE_EXTRA_CA_CERTS="$tmp/ca.pem"

serve proxy.yaml
answer=$(ask "$url/")
has 'a request passes' '^HTTP/1.1 200 ' "$answer"
has 'TLS asks for the name' '^\(over TLS, asked for one\.one\.one\.one\)$' "$answer"
has 'Host has the name' '^host: one\.one\.one\.one$' "$answer"
has 'headers of the server pass' '^X-Powered-By: Node$' "$answer"

answer=$(ask -H 'appid: myclient' "$url/?[1-2]")
same 'an appid gets one request a second' '200 429' \
  "$(printf '%s\n' "$answer" | sed -n 's|^HTTP/1.1 \([0-9]*\) .*|\1|p' | paste -s -d ' ' -)"
refusal=$(printf '%s\n' "$answer" | sed -n '/^HTTP\/1.1 429/,$p')
has '429 has the limit' '^X-Rate-Limit-Limit: 1$' "$refusal"
has '429 has what is left' '^X-Rate-Limit-Remaining: 0$' "$refusal"
has '429 has the seconds until there is more' '^X-Rate-Limit-Reset: 1$' "$refusal"
has '429 says when to come back' '^Retry-After: 1$' "$refusal"
sleep 1.1
same 'a second later, the appid gets another' '200 429' "$(statuses -H 'appid: myclient' "$url/?[1-2]")"
same 'so does another appid' '200 429' "$(statuses -H 'appid:1' "$url/?[1-2]")"
same 'without an appid, the address counts' '200 429' "$(statuses "$url/?[1-2]")"
names=$(for i in 1 2 3 4 5 6; do upstreams -H "appid: client$i" "$url/"; done | paste -s -d ' ' -)
same 'requests go to both servers' '3 x one, 3 x two' "$(tally "$names")"
has 'requests alternate' '^(.+ .+) \1 \1$' "$names"
stop "$instance"
has 'the log says that it serves' '"msg":"serving"' "$(cat "$tmp/proxy.log")"

# -- 1. limits ----------------------------------------------------------------------------------------

customize 01-window.yaml 'a request a minute'
answer=$(ask -H 'appid: a' "$url/?[1-2]")
has "$title: the second is too many" '^HTTP/1.1 429 ' "$answer"
has "$title: the window is a minute" '^X-Rate-Limit-Reset: 60$' "$answer"
sleep 1.1
same "$title: it still is a second later" 429 "$(statuses -H 'appid: a' "$url/")"
stop "$instance"

customize 02-key-client-ip.yaml 'by address' -e "$long_window"
same "$title: the first passes" 200 "$(statuses -H 'appid: a' "$url/")"
same "$title: another appid does not help" 429 "$(statuses -H 'appid: b' "$url/")"
same "$title: X-Forwarded-For does not help" 429 "$(statuses -H 'X-Forwarded-For: 203.0.113.9' "$url/")"
same "$title: another address does" 200 "$(statuses --interface 127.0.0.2 "$url/")"
stop "$instance"

customize 03-key-forwarded-for.yaml 'by X-Forwarded-For' -e "$long_window"
same "$title: the first passes" 200 "$(statuses -H 'X-Forwarded-For: 203.0.113.9' "$url/")"
same "$title: the second does not" 429 "$(statuses -H 'X-Forwarded-For: 203.0.113.9' "$url/")"
same "$title: another address passes" 200 "$(statuses -H 'X-Forwarded-For: 203.0.113.10' "$url/")"
same "$title: who is not trusted gets one, too" 200 \
  "$(statuses --interface 127.0.0.2 -H 'X-Forwarded-For: 203.0.113.11' "$url/")"
same "$title: and no more by claiming to be another" 429 \
  "$(statuses --interface 127.0.0.2 -H 'X-Forwarded-For: 203.0.113.12' "$url/")"
stop "$instance"

customize 04-key-header.yaml 'by header' -e "$long_window"
same "$title: each value has its limit" '200 429' "$(statuses -H 'X-Client-Id: a' "$url/?[1-2]")"
same "$title: another value has another" '200 429' "$(statuses -H 'X-Client-Id: b' "$url/?[1-2]")"
same "$title: without it, the address counts" '200 429' "$(statuses "$url/?[1-2]")"
stop "$instance"

customize 05-tiers.yaml 'tiers' -e "$long_window"
same "$title: premium_user gets 10" '10 x 200, 5 x 429' \
  "$(tally "$(statuses -H 'appid: premium_user' "$url/?[1-15]")")"
same "$title: others get 1" '1 x 200, 14 x 429' "$(tally "$(statuses -H 'appid: other' "$url/?[1-15]")")"
stop "$instance"

# -- 2. upstreams -------------------------------------------------------------------------------------

customize 06-more-upstreams.yaml 'a third server'
answer=$(ask "$url/?[1-9]")
names=$(printf '%s\n' "$answer" | sed -n 's/ says hello$//p' | paste -s -d ' ' -)
same "$title: three requests each" '3 x one, 3 x three, 3 x two' "$(tally "$names")"
has "$title: it is asked by its own name" '^\(over TLS, asked for dns\.google\)$' "$answer"
stop three KILL || true
same "$title: it goes away, and no request fails" '200 200 200 200 200 200 200 200 200' \
  "$(statuses "$url/?[1-9]")"
stop "$instance"

customize 07-weighted-round-robin.yaml 'weights'
names=$(upstreams "$url/?[1-8]")
same "$title: three to one" '6 x one, 2 x two' "$(tally "$names")"
lacks "$title: the light one is not asked twice in a row" 'two two' "$names"
stop "$instance"

customize 08-least-connections.yaml 'least connections'
ask "$url/slow" > "$tmp/slow" &
slow=$!
await "$instance" grep -q '^GET /slow' "$tmp/one.log" "$tmp/two.log"
names=$(upstreams "$url/?[1-5]")
wait "$slow"
case $(sed -n 's/ says hello$//p' "$tmp/slow") in
  one) idle=two ;;
  *) idle=one ;;
esac
same "$title: the idle server serves" "5 x $idle" "$(tally "$names")"
stop "$instance"

customize 09-consistent-hash.yaml 'consistent hash'
names=$(upstreams -H 'appid: a' "$url/?[1-8]")
has "$title: an appid stays where it is" '^8 x [a-z]+$' "$(tally "$names")"
names=$(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  upstreams -H "appid: client$i" "$url/"
done)
same "$title: appids are spread over both" 2 "$(printf '%s\n' "$names" | sort -u | wc -l | tr -d ' ')"
stop "$instance"

# -- 4. TLS -------------------------------------------------------------------------------------------

customize 10-tls-off.yaml 'TLS off'
answer=$(ask "$url/")
has "$title: a request passes" '^HTTP/1.1 200 ' "$answer"
has "$title: the server is the plain one" '^plain-(one|two) says hello$' "$answer"
has "$title: Host is the client's own" "^host: ${url#http://}\$" "$answer"
stop "$instance"

customize 11-server-name.yaml 'another name'
answer=$(ask "$url/")
has "$title: TLS asks for it" '^\(over TLS, asked for api\.example\.com\)$' "$answer"
has "$title: Host has it" '^host: api\.example\.com$' "$answer"
stop "$instance"

customize 11-server-name.yaml 'a name that is not in the certificate' -e 's/api\.example\.com/api.example.org/'
has "$title: there is no answer" '^Proxy-Status: signalbox; error=tls_protocol_error$' "$(ask "$url/")"
stop "$instance"

# From here on, nobody vouches for our authority but the configuration.
unset NODE_EXTRA_CA_CERTS

customize 12-own-ca.yaml 'own authority'
same "$title: a request passes" 200 "$(statuses "$url/")"
stop "$instance"

customize 13-no-verification.yaml 'no verification'
same "$title: a request passes" 200 "$(statuses "$url/")"
stop "$instance"

# -- 5. headers and log -------------------------------------------------------------------------------

export NODE_EXTRA_CA_CERTS="$tmp/ca.pem"

customize 14-headers.yaml 'headers'
answer=$(ask -H 'X-Environment: test' -H 'Accept-Language: fr' -H 'Cookie: a=b' "$url/")
has "$title: the server gets the one that is set" '^x-environment: production$' "$answer"
has "$title: the server gets the one that is added" '^accept-language: fr, en$' "$answer"
lacks "$title: the server does not get the one that is removed" '^cookie:' "$answer"
has "$title: the client gets the one that is set" '^Strict-Transport-Security: max-age=31536000$' "$answer"
has "$title: the client gets the one that is added" '^Vary: appid$' "$answer"
lacks "$title: the client does not get the one that is removed" '^X-Powered-By:' "$answer"
stop "$instance"

customize 15-log-level.yaml 'log level'
same "$title: a request passes" 200 "$(statuses "$url/")"
stop "$instance"
same "$title: nothing but warnings and errors is logged" '' "$(cat "$tmp/$instance.log")"

# -- 3. health checks ---------------------------------------------------------------------------------

customize 16-health-check.yaml 'health check' -e 's/interval_ms: 5000/interval_ms: 1000/'
has "$title: the servers are asked for the page" '^GET /health$' "$(cat "$tmp/two.log")"
same "$title: requests go to both servers" '3 x one, 3 x two' "$(tally "$(upstreams "$url/?[1-6]")")"
stop two KILL || true
await "$instance" grep -q '"reason":"connection refused","msg":"upstream is down"' "$tmp/$instance.log"
same "$title: a dead server gets no requests" '6 x one' "$(tally "$(upstreams "$url/?[1-6]")")"
stop "$instance"

finish
