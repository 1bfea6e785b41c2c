# shellcheck shell=bash disable=SC2034
# Sourced by the tests of the program: a scratch folder, clips, and a small vocabulary of claims.
# The program is $AMAE_BUILD_DIR/bin/amae, by default that of build/ in this tree.
set -Eeuo pipefail
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND: exit $?" >&2' ERR
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
amae=${AMAE_BUILD_DIR:-$top/build}/bin/amae
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
unset AMAE_RUNS AMAE_PLUGIN_PATH AMAE_CHECKPOINTS
export XDG_CACHE_HOME=$scratch/cache

fail() { # MESSAGE...
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# Ends the script with the verdict.
finish() {
  [ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
  echo "all passed"
}

# amae ARGUMENT... must end with CODE; its output is left in $scratch/out and $scratch/err.
exits() { # CODE ARGUMENT...
  local expected=$1 code=0
  shift
  "$amae" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
  [ "$code" = "$expected" ] || { fail "amae $*: exit $code, expected $expected"; cat "$scratch/err" >&2; }
}

# amae ARGUMENT... must end with CODE, say nothing on stdout and one line on stderr that matches PATTERN.
refuses() { # CODE PATTERN ARGUMENT...
  local pattern=$2
  exits "$1" "${@:3}"
  [ ! -s "$scratch/out" ] || fail "amae ${*:3}: speaks on stdout: $(head -3 "$scratch/out")"
  [ "$(wc -l <"$scratch/err")" = 1 ] || fail "amae ${*:3}: $(wc -l <"$scratch/err") lines, expected 1: $(cat "$scratch/err")"
  grep -qE -- "$pattern" "$scratch/err" || fail "amae ${*:3}: expected /$pattern/, got: $(cat "$scratch/err")"
}

said() { # PATTERN: on stdout of the last command
  grep -qE -- "$1" "$scratch/out" || fail "stdout has no /$1/: $(head -20 "$scratch/out")"
}

there() { # FILE...: each exists and is not empty
  local file
  for file; do [ -s "$file" ] || fail "missing or empty: $file"; done
}

same() { # FILE FILE
  cmp -s "$1" "$2" || fail "differ: $1 $2"
}

state_is() { # RUN STATE
  grep -q "\"state\": \"$2\"" "$1/run.json" || fail "$1/run.json: $(grep '"state"' "$1/run.json"), expected $2"
}

# The figures of a run without what the clock decides. Equal text means equal bits: doubles are written to the last digit.
figures() { # RUN
  grep -v '"split":"system"' "$1/metrics.jsonl" | sed 's/"wall":[^,]*,//'
}

same_figures() { # RUN RUN
  diff <(figures "$1") <(figures "$2") >"$scratch/diff" || fail "figures of $1 and $2 differ: $(head -5 "$scratch/diff")"
}

le32() { # NUMBER as four bytes, lowest first
  local hex
  hex=$(printf '%08x' "$1")
  printf '%b' "\\x${hex:6:2}\\x${hex:4:2}\\x${hex:2:2}\\x${hex:0:2}"
}

# A WAV of 16 kHz, mono, 16 bit; the words, repeated, are its samples: other words sound otherwise, always the same.
wav() { # FILE MILLISECONDS WORDS
  local bytes=$(($2 * 32))
  {
    printf 'RIFF'
    le32 $((36 + bytes))
    printf 'WAVEfmt \x10\0\0\0\x01\0\x01\0'
    le32 16000
    le32 32000
    printf '\x02\0\x10\0data'
    le32 "$bytes"
    (yes "$3" 2>/dev/null || true) | head -c "$bytes"
  } >"$1"
}
