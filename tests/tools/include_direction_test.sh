#!/usr/bin/env bash
# Plants every kind of violation in a small project and sees tools/include_direction report it, and only it.
# usage: tests/tools/include_direction_test.sh      (run by ctest)
set -euo pipefail
checker=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)/tools/include_direction
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
failures=0

put() { # FILE, contents from stdin
  mkdir -p "$project/$(dirname "$1")"
  cat >"$project/$1"
}

good_project() {
  rm -rf "$project"
  mkdir -p "$project"
  put framework/include/amae/plugin.h <<<'#include "amae/error.h"'
  put framework/base/text.h <<<'#include <string>'
  put framework/config/tree.h <<<'#include "base/text.h"'
  put framework/plugin/loader.cpp <<<'#include "config/tree.h"'
  put framework/io/csv.cpp <<<'#include "base/text.h"'
  put framework/data/loader.cpp <<'CODE'
#include <torch/torch.h>
#include "amae/plugin.h"
#include "data/split.h"
#include "io/csv.h"
// #include "train/loop.h" is what this file must not do, and "resnet" in a comment is no name in the code.
/* nor is
   "resnet" here */
const char* url = "https://example.org/resnet";  // "resnet" again
const char quote = '"';
const char* word = "gain";  // not a plugin: what dB are called here
CODE
  put framework/cli/main.cpp <<<'#include "task/run.h"'
  put plugins/models/resnet/plugin.cpp <<'CODE'
#include "amae/plugin.h"
#include "io/audio.h"
#include "base/text.h"
#include "resnet.h"
#include "blocks/stem.h"
void add(amae::Registrar& r) { r.model<Options>("resnet18", "doc", make); }
CODE
  put plugins/models/resnet/resnet.h <<<'const char* name = "resnet";'
  put plugins/models/resnet/blocks/stem.h <<<'#include <vector>'
  put plugins/transforms/common/checks.h <<<'#include "amae/error.h"'
  put plugins/transforms/gain/plugin.cpp <<'CODE'
#include "../common/checks.h"
#include "transforms/common/checks.h"
void add(amae::Registrar& registrar) {
  registrar.transform<GainOptions>(
      "random_gain", "doc", make);
}
CODE
}

expect() { # NAME, PATTERN that the one line of output must match; '' for silence and success
  local output code=0 lines
  output=$("$checker" "$project" 2>&1) || code=$?
  lines=$(grep -c . <<<"$output" || true)
  if [ -z "$2" ] && [ "$code" -eq 0 ] && [ -z "$output" ]; then return; fi
  if [ -n "$2" ] && [ "$code" -eq 1 ] && [ "$lines" -eq 1 ] && grep -qE -- "$2" <<<"$output"; then return; fi
  printf 'FAILED: %s\n  expected: %s\n  got (exit %d): %s\n' "$1" "${2:-silence and exit 0}" "$code" "$output"
  failures=$((failures + 1))
}

good_project
expect 'a project without violations passes in silence' ''

plant() { # NAME FILE LINE PATTERN: one more line in one file
  good_project
  mkdir -p "$project/$(dirname "$2")"
  printf '%s\n' "$3" >>"$project/$2"
  expect "$1" "$4"
}

plant 'an upward include is refused'          framework/data/split.cpp   '#include "train/loop.h"'    '^framework/data/split.cpp:1: .*train/loop.h'
plant 'with angle brackets too'               framework/base/text.cpp    '#  include <config/tree.h>' '^framework/base/text.cpp:1: '
plant 'the line number is the true one'       framework/data/loader.cpp  '#include "task/run.h"'      '^framework/data/loader.cpp:11: '
plant 'config may not include plugin'         framework/config/read.cpp  '#include "plugin/registry.h"' '^framework/config/read.cpp:1: '
plant 'report may not include data'           framework/report/plots.cpp '#include "data/split.h"'    '^framework/report/plots.cpp:1: '
plant 'nothing includes cli'                  framework/serve/http.cpp   '#include "cli/main.h"'      '^framework/serve/http.cpp:1: '
plant 'http knows none of them'               framework/http/server.cpp  '#include "serve/service.h"'   '^framework/http/server.cpp:[0-9]*: '
plant 'the contract includes only itself'     framework/include/amae/signal.h '#include "base/text.h"' 'contract includes "base/text.h"'
plant 'a path with .. is refused'             framework/data/split.cpp   '#include "../train/loop.h"' 'goes around the rooms'
plant 'a room outside the table is refused'   framework/attic/old.cpp    'int x;'                     'no room'
plant 'framework includes no plugin'          framework/task/run.cpp     '#include "models/resnet/resnet.h"' 'of a plugin'
plant 'however the path is written'           framework/task/run.cpp     '#include "plugins/models/resnet/resnet.h"' 'of a plugin'
plant 'a plugin includes no upper room'       plugins/models/resnet/resnet.cpp '#include "train/loop.h"' 'a plugin includes "train/loop.h"'
plant 'nor config'                            plugins/models/resnet/resnet.cpp '#include "config/tree.h"' 'a plugin includes "config/tree.h"'
plant 'nor another plugin'                    plugins/transforms/gain/gain.cpp '#include "models/resnet/resnet.h"' 'of another plugin'
plant 'nor what plugins of another kind share' plugins/models/resnet/resnet.cpp '#include "transforms/common/checks.h"' 'of another plugin'
plant 'nor another plugin by a way around'    plugins/transforms/gain/gain.cpp '#include "../../models/resnet/resnet.h"' 'goes around'
plant 'the core names no plugin folder'       framework/task/run.cpp     'auto m = make("resnet");'   'names the plugin "resnet"'
plant 'nor a key that a plugin registers'     framework/task/run.cpp     'if (key == "resnet18") {}'  'names the plugin "resnet18"'
plant 'nor one registered over two lines'     framework/task/run.cpp     'auto t = "random_gain";'    'names the plugin "random_gain"'
plant 'nor after a comment on the same line'  framework/task/run.cpp     '/* x */ f("a", "resnet");'  'names the plugin "resnet"'

good_project
rm -rf "$project/framework" "$project/plugins"
mkdir "$project/framework"
code=0
"$checker" "$project" >/dev/null 2>&1 || code=$?
[ "$code" -eq 2 ] || { echo "FAILED: a folder without sources is no success: exit $code"; failures=$((failures + 1)); }

[ "$failures" -eq 0 ] || exit 1
echo "tools/include_direction sees every planted violation"
