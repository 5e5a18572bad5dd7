# What the smoke tests of the examples share. They read it with `.`, after `set -eu`; it is POSIX sh, and
# needs curl. Everything runs on the loopback address, on free ports, and ends with the script.

here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -P -- "$here/../.." && pwd)
node=$root/node_modules/.bin/node
signalbox=$root/bin/signalbox
tmp=$(mktemp -d)
passed=0
failed=0
finished=no
# No request here is for a proxy through which the machine reaches others.
export no_proxy='*' NO_PROXY='*'

# -- processes ----------------------------------------------------------------------------------------

end() {
  for pid_file in "$tmp"/*.pid; do
    [ ! -f "$pid_file" ] || kill -KILL "$(cat "$pid_file")" 2> "$tmp/end" || true
  done
  rm -rf "$tmp"
  [ "$finished" = yes ] || echo 'FAILED the script ended before its last line'
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# run NAME COMMAND…: starts a process, whose output goes to $tmp/NAME.log.
run() {
  run_name=$1
  shift
  # Emptied here: in the background, that may come after the first look at it.
  : > "$tmp/$run_name.log"
  "$@" >> "$tmp/$run_name.log" 2>&1 &
  echo $! > "$tmp/$run_name.pid"
}

# stop NAME [SIGNAL]: ends what `run` started, and returns its exit code.
stop() {
  stop_pid=$(cat "$tmp/$1.pid")
  kill -"${2:-TERM}" "$stop_pid"
  rm "$tmp/$1.pid"
  # The shell has a word to say of processes that are killed.
  wait "$stop_pid" 2> "$tmp/end"
}

# await NAME COMMAND…: waits until the command succeeds; 10 seconds, or the end of process NAME, are too long.
await() {
  await_name=$1
  shift
  await_tries=0
  until "$@"; do
    await_tries=$((await_tries + 1))
    if [ "$await_tries" -gt 200 ] || ! kill -0 "$(cat "$tmp/$await_name.pid")" 2> "$tmp/end"; then
      echo "FAILED waiting for $await_name: $*"
      cat "$tmp/$await_name.log"
      exit 1
    fi
    sleep 0.05
  done
}

# start_upstream NAME [KEY_FILE CERT_FILE]: an upstream, over https if it is given a certificate.
start_upstream() {
  upstream_name=$1
  shift
  run "$upstream_name" "$node" "$root/examples/upstream.mjs" "$upstream_name" 0 "$@"
  await "$upstream_name" grep -q '^listening on' "$tmp/$upstream_name.log"
}

# port_of NAME: where an upstream listens.
port_of() {
  sed -n 's/^listening on //p' "$tmp/$1.log"
}

# seen REQUEST NAME…: how often these upstreams, together, were sent this method and path.
seen() {
  seen_request=$1
  shift
  for seen_name; do cat "$tmp/$seen_name.log"; done | grep -c "^$seen_request\$" || true
}

# start_signalbox NAME FILE [SED_ARGUMENT…]: an instance with a copy of FILE, in which the listeners are on
# free ports, and what sed is told is changed as well. Sets $instance, $url and $admin.
start_signalbox() {
  instance=$1
  config=$2
  shift 2
  ports=$("$node" "$root/examples/free-ports.mjs")
  url=http://127.0.0.1:${ports% *}
  admin=http://127.0.0.1:${ports#* }
  {
    sed -e '/^  listen_address:/d' -e "s/^  listen_port: .*/  listen_port: ${ports% *}\\
  listen_address: 127.0.0.1/" "$@" "$config"
    printf '\nadmin:\n  listen: 127.0.0.1:%s\n' "${ports#* }"
  } > "$tmp/$instance.yaml"
  run "$instance" "$signalbox" start --config "$tmp/$instance.yaml"
  await "$instance" curl -sf -o "$tmp/ready" "$admin/readyz"
}

# -- requests -----------------------------------------------------------------------------------------

# ask CURL_ARGUMENT…: one whole answer, head and body.
ask() {
  curl -s -i --max-time 10 "$@" | tr -d '\r'
}

# statuses CURL_ARGUMENT…: the status of every answer, in one line. Where curl makes several requests of one
# URL (such as /?[1-15]), they go out one right after the other, however busy the machine is.
statuses() {
  curl -s -o "$tmp/body" -w '%{http_code}\n' --max-time 10 "$@" | paste -s -d ' ' -
}

# upstreams CURL_ARGUMENT…: the name of the upstream behind every answer, in one line.
upstreams() {
  curl -s --max-time 10 "$@" | sed -n 's/ says hello$//p' | paste -s -d ' ' -
}

# tally WORDS: how often each word is there, such as `10 x 200, 5 x 429`.
tally() {
  printf '%s\n' "$1" | tr ' ' '\n' | sort | uniq -c | sed 's/^ *//; s/ / x /' | paste -s -d , - | sed 's/,/, /g'
}

# -- assertions ---------------------------------------------------------------------------------------

pass() {
  passed=$((passed + 1))
  echo "ok     $1"
}

# fail WHAT EXPECTED GOT
fail() {
  failed=$((failed + 1))
  printf 'FAILED %s\n  expected %s\n  got      %s\n' "$1" "$2" "$(printf '%s\n' "$3" | head -n 30)"
}

# same WHAT EXPECTED GOT
same() {
  if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$2" "$3"; fi
}

# has WHAT PATTERN TEXT: a line of the text matches the extended regular expression, in any case.
has() {
  if printf '%s\n' "$3" | grep -Eiq -- "$2"; then pass "$1"; else fail "$1" "a line like $2" "$3"; fi
}

# lacks WHAT PATTERN TEXT: there is a text, and no line of it matches.
lacks() {
  if [ -n "$3" ] && ! printf '%s\n' "$3" | grep -Eiq -- "$2"; then
    pass "$1"
  else
    fail "$1" "lines, none of them like $2" "$3"
  fi
}

# finish: the last line of every smoke test.
finish() {
  finished=yes
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
