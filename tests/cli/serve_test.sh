#!/usr/bin/env bash
# `amae serve` as its users meet it: what it says, what it refuses, how it ends.
# shellcheck disable=SC1091,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"

cat >"$scratch/config.yaml" <<'YAML'
data: {name: synthetic_sounds, clips_per_class: 5, duration: 0.5, rate: 8 kHz}
split: {by: fold, test: 5}
transforms: [{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}]
model: {name: resnet, depths: [1], width: 8}
train: {epochs: 1, batch_size: 16}
YAML
exits 0 run "$scratch/config.yaml" --out "$scratch/run"
exits 0 run "$scratch/config.yaml" seed=7 --out "$scratch/other"
exits 0 embed "$scratch/run" "$scratch/config.yaml" --out "$scratch/store"
refuses 2 'error\[INDEX\]: .*amae index build' serve "$scratch/run" --index "$scratch/store" --port 0
exits 0 index build "$scratch/store"

begin() { # ARGUMENT...: a server in the background; sets $server and $port
  "$amae" serve "$@" >"$scratch/serve.out" 2>"$scratch/serve.err" </dev/null &
  server=$!
  port=
  for _ in $(seq 200); do
    port=$(grep -oE 'http://[^ ]*:[0-9]+' "$scratch/serve.err" | head -n 1 | grep -oE '[0-9]+$') && return
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  fail "no server: $(cat "$scratch/serve.err")"
}
ends() { # CODE
  local code=0
  wait "$server" || code=$?
  [ "$code" = "$1" ] || fail "the server ended with $code, expected $1: $(cat "$scratch/serve.err")"
}
get() { # PATH
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$1" >&3
  cat <&3
  exec 3>&-
}

# It names its address and what it serves, on stderr alone, and a signal ends it with 0.
begin "$scratch/run" --port 0 --index "$scratch/store" --runs "$scratch"
get /v1/model | grep -q '"name":"resnet"' || fail "no model: $(get /v1/model)"
get / | grep -q '^HTTP/1.1 200' || fail "no page: $(get / | head -5)"
grep -qE "^http://127\.0\.0\.1:$port  model resnet [0-9a-f]{12}, 10 classes, index of 50 items, runs in " "$scratch/serve.err" ||
  fail "it does not say what it serves: $(cat "$scratch/serve.err")"
refuses 3 "^amae: error\[PORT\]: 127\.0\.0\.1:$port: .*[Aa]ddress already in use.*98" serve "$scratch/run" --port "$port" --quiet
kill -TERM $server
ends 0
[ ! -s "$scratch/serve.out" ] || fail "it speaks on stdout: $(cat "$scratch/serve.out")"
grep -q '^stopping' "$scratch/serve.err" || fail "it does not say that it stops"

begin "$scratch/run" --port 0 --host 0.0.0.0
grep -q 'warning: listening on 0\.0\.0\.0' "$scratch/serve.err" || fail "it does not warn: $(cat "$scratch/serve.err")"
kill -INT $server
ends 0

# Threads of libraries, which were there before, take no signal from it.
export AMAE_THREADS=2
for signal in TERM INT TERM INT; do
  begin "$scratch/run" --port 0
  kill -$signal $server
  ends 0
done
export AMAE_THREADS=1

# A client that says nothing keeps nobody from leaving.
begin "$scratch/run" --port 0
exec 4<>"/dev/tcp/127.0.0.1/$port"
kill -TERM $server
ends 0
exec 4>&-

refuses 2 'error\[CKPT\]: .*nothing' serve "$scratch/nothing"
refuses 2 'error\[MODEL\]: .*weights of the model: got .* expected' serve "$scratch/other" --index "$scratch/store" --port 0
refuses 2 'error\[STORE\]' serve "$scratch/run" --index "$scratch" --port 0
refuses 2 '\-\-runs: got no folder' serve "$scratch/run" --runs "$scratch/nowhere" --port 0
refuses 2 'error\[USAGE\]' serve "$scratch/run" --port 70000
refuses 3 'error\[PORT\]: 203\.0\.113\.7:0' serve "$scratch/run" --host 203.0.113.7 --port 0 --quiet
finish
