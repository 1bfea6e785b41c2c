#!/usr/bin/env bash
# Follows docs/serve.md word for word: its first block trains, indexes and starts the server, all others ask it, in order.
# Python's blocks are left out, with a line, where there is no python3, or no numpy for those that import it.
# usage: tests/docs/serve_doc_test.sh [PAGE]      (run by ctest)
#
# In the page:  ```sh start                    commands; the last line, without --open, is the server that all others ask
#               ```sh [exit=CODE]              commands, in the folder of the first block; port 8080 is the server's own
#               ```python [title="FILE"]       a program; with a title a file for the others to import
#               ```text                        lines that the last commands printed; … stands for anything
#               ```text server                 lines that the server printed
#               ```json                        all that the last commands printed; blanks do not count
#               ```nginx, and indented lines   not run
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/../cli/testing.sh"
page=$(readlink -f "${1:-$top/docs/serve.md}")
server=
: >"$scratch/server"
trap '[ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true; rm -rf "$scratch"' EXIT
export PATH=${amae%/*}:$PATH no_proxy=localhost,127.0.0.1 NO_PROXY=localhost,127.0.0.1

stop() { # MESSAGE...: what follows would fail too
  fail "${page##*/}: $*"
  [ ! -s "$scratch/server" ] || tail -n 5 "$scratch/server" >&2
  finish
}
command -v curl >/dev/null || stop 'needs curl (tools/install_deps)'
mkdir "$scratch/blocks" "$scratch/here" "$scratch/here/configs"
# The quickstart in seconds.
sed 's/clips_per_class: 100/clips_per_class: 40/; s/epochs: 20/epochs: 12/' "$top/configs/quickstart.yaml" \
  >"$scratch/here/configs/quickstart.yaml"
cd "$scratch/here" || exit

# Each block as two files: NUMBER.info (line in the page, then what stands behind the fence) and NUMBER.
awk -v folder="$scratch/blocks" '
  /^```/ {
    if (inside) { inside = 0; close(body); next }
    inside = 1
    body = sprintf("%s/%03d", folder, ++n)
    printf "" >body
    print FNR ":" substr($0, 4) >(body ".info")
    close(body ".info")
    next
  }
  inside { print >body }
  END { exit inside }' "$page" || stop 'a block has no end'

start_server() { # COMMAND: "amae serve …"
  local words=() word arguments=()
  read -ra words <<<"$1"
  [ "${words[0]} ${words[1]}" = 'amae serve' ] || stop "got '$1', expected amae serve as the last line of the first block"
  for word in "${words[@]:1}"; do [ "$word" = --open ] || arguments+=("$word"); done
  amae "${arguments[@]}" --port 0 >"$scratch/server.out" 2>"$scratch/server" </dev/null &
  server=$!
  port=
  for _ in {1..600}; do
    port=$(sed -n 's|^http://[^ ]*:\([0-9]*\) .*|\1|p' "$scratch/server")
    [ -z "$port" ] || return 0
    kill -0 "$server" 2>/dev/null || stop 'the server ended before it said where it is'
    sleep 0.1
  done
  stop 'the server did not say within 60 s where it is'
}

run_block() { # LINE EXPECTED COMMAND...
  local line=$1 expected=$2 code=0 began=$SECONDS
  timeout 120 "${@:3}" >"$scratch/said" 2>"$scratch/complaints" </dev/null || code=$?
  [ "$code" = "$expected" ] ||
    { cat "$scratch/said" "$scratch/complaints" >&2; stop "line $line ends with $code, not $expected"; }
  echo "line $line: $((SECONDS - began)) s"
}

as_pattern() { # lines on stdin
  LC_ALL=C sed 's/[][\.*^$+?(){}|]/\\&/g; s/…/.*/g'
}

shows_lines() { # LINE BLOCK SAID
  local shown
  tr -s ' ' <"$3" | sed 's/ $//' >"$scratch/squeezed" # columns are as wide as what stands in them
  while IFS= read -r shown; do
    LC_ALL=C grep -qxE -- "$(as_pattern <<<"$shown" | tr -s ' ')" "$scratch/squeezed" ||
      { head -c 4000 "$3" >&2; stop "behind line $1 nothing was printed like: $shown"; }
  done <"$2"
}

shows_json() { # LINE BLOCK SAID
  tr -d ' \n' <"$3" >"$scratch/flat"
  LC_ALL=C grep -qxE -- "$(tr -d ' \n' <"$2" | as_pattern)" "$scratch/flat" ||
    { head -c 4000 "$3" >&2; stop "what was printed before line $1 is another answer"; }
}

has_python() { # "line N" BLOCK: says so where it cannot be run
  local module
  for module in urllib.request numpy; do
    grep -q '^import numpy' "$2" || [ "$module" != numpy ] || continue
    python3 -c "import $module" 2>/dev/null || { echo "$1 is left out: no python3 with $module"; return 1; }
  done
}

port='' commands=0 is_left_out=
for info in "$scratch"/blocks/*.info; do
  block=${info%.info}
  IFS=: read -r line words <"$info"
  sed -i "s/\(localhost\|127\.0\.0\.1\):8080/\1:$port/g" "$block"
  case $words in
    'sh start')
      sed '$d' "$block" >"$scratch/before"
      run_block "$line" 0 bash -eu -o pipefail "$scratch/before"
      start_server "$(tail -n 1 "$block")" ;;
    sh | 'sh exit='*)
      [ -n "$port" ] || stop "line $line comes before the server"
      expected=${words#sh} expected=${expected# exit=} is_left_out=
      run_block "$line" "${expected:-0}" bash -eu -o pipefail "$block"
      commands=$((commands + 1)) ;;
    'python title="'*'"')
      file=${words#*title=\"}
      cp "$block" "${file%\"}" ;;
    python)
      is_left_out=yes
      has_python "line $line" "$block" || continue
      is_left_out=
      run_block "$line" 0 env PYTHONPATH=.:"${PYTHONPATH:-}" PYTHONDONTWRITEBYTECODE=1 python3 "$block"
      commands=$((commands + 1)) ;;
    'text server') shows_lines "$line" "$block" "$scratch/server" ;;
    text) [ -n "$is_left_out" ] || shows_lines "$line" "$block" "$scratch/said" ;;
    json) [ -n "$is_left_out" ] || shows_json "$line" "$block" "$scratch/said" ;;
    nginx) ;;
    *) stop "line $line: a block of a kind that is not known here: $words" ;;
  esac
done
[ "$commands" -gt 0 ] || stop 'has no commands'

# The page leaves no option and no metric out.
for option in $(amae serve --help | grep -oE -- '--[a-z-]+' | sort -u); do
  [ "$option" = --help ] || grep -qE -- "^\| \`${option}[ \`]" "$page" || fail "${page##*/} has no $option"
done
for metric in $(curl -s "http://localhost:$port/metrics" | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p'); do
  grep -qE "\`${metric}[{\`]" "$page" || fail "${page##*/} has no $metric"
done
there clip.flac picture.png map.json

kill -TERM "$server"
for _ in {1..150}; do
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
! kill -0 "$server" 2>/dev/null || stop 'the server is still there 15 s after SIGTERM'
code=0
wait "$server" || code=$?
server=
: >"$scratch/server"
[ "$code" = 0 ] || fail "the server ends with $code after SIGTERM, expected 0: $(tail -n 3 "$scratch/server")"
[ ! -s "$scratch/server.out" ] || fail "the server speaks on stdout: $(head -n 3 "$scratch/server.out")"
finish
