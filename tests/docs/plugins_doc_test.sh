#!/usr/bin/env bash
# Follows docs/plugins.md word for word: files with a title are written, commands run in order, what the page says
# that they print is compared. A plugin built outside the tree is found, checked and trained.
# usage: tests/docs/plugins_doc_test.sh PREFIX [PAGE]
#        PREFIX: a finished build folder, or an installation (build/bin/amae or bin/amae below it); PAGE: another page
#
# In the page:  ```LANGUAGE title="FILE"   that file; when a command wrote it before, it must be the same
#               ```sh [exit=CODE]          commands, in the folder that the test began with
#               ```text                    lines that the last commands printed; … stands for anything
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
prefix=$(cd "$1" && pwd -P)
page=$(readlink -f "${2:-$checkout/docs/plugins.md}")
work=$(mktemp -d)
dropped=
trap 'rm -rf "$work" ${dropped:+"$dropped"}' EXIT
unset AMAE_PLUGIN_PATH AMAE_RUNS AMAE_CACHE XDG_DATA_HOME XDG_CACHE_HOME
export HOME=$work/home PATH=$prefix/bin:$PATH
mkdir "$work/home" "$work/blocks" "$work/here"
cd "$work/here"

fail() { # MESSAGE, after what the last command said
  printf 'FAILED: %s: %s\n' "${page##*/}" "$1" >&2
  exit 1
}

# Each block as two files: NUMBER.info (line in the page, then what stands behind the fence) and NUMBER.
awk -v folder="$work/blocks" '
  /^```/ {
    if (inside) { inside = 0; close(body); next }
    inside = 1
    body = sprintf("%s/%03d", folder, ++n)
    printf "" >body
    print FNR ":" substr($0, 4) >(body ".info")
    close(body ".info")
    next
  }
  inside { print >body; next }
  /^    / { print "line " FNR ": a block without a fence" >"/dev/stderr"; bad = 1 }  # it would not be run
  END { exit bad || inside }' "$page" || fail 'a block cannot be read'

commands=0
for info in "$work"/blocks/*.info; do
  block=${info%.info}
  IFS=: read -r line words <"$info"
  case $words in
    *' title="'*'"')
      file=${words#*title=\"} file=${file%\"}
      if [ -e "$file" ]; then
        diff "$file" "$block" >&2 || fail "line $line shows another $file than there is"
      else
        mkdir -p "$(dirname "$file")"
        cp "$block" "$file"
      fi ;;
    sh | 'sh exit='*)
      expected=${words#sh} expected=${expected# exit=} code=0 began=$SECONDS
      bash -eu -o pipefail "$block" >"$work/said" 2>&1 </dev/null || code=$?
      [ "$code" = "${expected:-0}" ] || { cat "$work/said" >&2; fail "line $line ends with $code, not ${expected:-0}"; }
      echo "line $line: $((SECONDS - began)) s"
      commands=$((commands + 1)) ;;
    text)
      # Columns are as wide as what stands in them, so blanks count alike.
      tr -s ' ' <"$work/said" | sed 's/ $//' >"$work/squeezed"
      while IFS= read -r shown; do
        pattern=$(printf '%s' "$shown" | LC_ALL=C sed 's/[][\.*^$+?(){}|]/\\&/g; s/…/.*/g' | tr -s ' ')
        LC_ALL=C grep -qxE -- "$pattern" "$work/squeezed" ||
          { cat "$work/said" >&2; fail "behind line $line nothing was printed like: $shown"; }
      done <"$block" ;;
    *) fail "line $line: a block that is neither a file (title=\"…\"), nor sh, nor text: $words" ;;
  esac
done
[ "$commands" -gt 0 ] || fail 'has no commands'
[ "$page" = "$checkout/docs/plugins.md" ] || exit 0

# What the page leads to, seen from outside.
[ "$(wc -l <my_net/CMakeLists.txt)" -le 10 ] || fail 'the CMakeLists.txt of a plugin has more than 10 lines'
find runs -name model.safetensors | grep -q . || fail 'training left no weights'
symbols=$(nm -D --defined-only my_net/build/plugins/models/my_net.so | awk '$2 ~ /[TDRB]/ {print $3}')
[ "$symbols" = amae_plugin ] || fail "my_net.so exports: $symbols"

listed() { amae list model my_net --json | grep '"name": "my_net"' >/dev/null; }
listed || fail 'my_net is not there'
rm ~/.local/share/amae/plugins/my_net.so
! listed || fail 'my_net is there after it was removed'
AMAE_PLUGIN_PATH=my_net/build/plugins listed || fail 'not found by AMAE_PLUGIN_PATH'
# Beside amae's own plugins: those of the checkout, or of the installation.
own=$checkout/plugins
[ -e "$prefix/CMakeCache.txt" ] || own=$(dirname "$(find "$prefix"/lib -path '*/amae/plugins/models' | head -n 1)")
dropped=$own/plugins_doc_test.$$
mkdir "$dropped"
cp my_net/build/plugins/models/my_net.so "$dropped"
listed || fail "not found in $own"
echo 'the page holds'
