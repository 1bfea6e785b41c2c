#!/usr/bin/env bash
# The zoo of broken plugins (tests/fixtures/zoo): amae survives each of them, names the file and the reason, and what
# stands beside it works; `amae plugin check` finds each by the check that was made for it and by no other of its level.
# usage: tests/cli/zoo_test.sh [ANIMAL...]      (all of them in ctest)
# shellcheck disable=SC1091,SC2154,SC2030,SC2031  # testing.sh, what it sets, and subshells with a scratch of their own
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
zoo=$(readlink -f "${AMAE_BUILD_DIR:-$top/build}/tests/zoo")
made=$scratch/made
export AMAE_THREADS=${AMAE_THREADS:-1}
ulimit -c 0  # crashes are what is wanted here

# What must not be opened: ANIMAL | REASON, which `list` warns of and the check "load" fails with.
closed() {
  cat <<'TABLE'
text              | is not an ELF library
empty             | is an empty file
truncated         | is cut off: [0-9]+ bytes present, [0-9]+ expected
no_descriptor     | is not an amae plugin
wrong_api         | API version is 99, expected [0-9]+
wrong_libtorch    | LibTorch is 1\.13, expected [0-9.]+
missing_symbol    | function_that_nobody_wrote
init_throws       | its start-up code threw: no licence found
init_exits        | exited with code 0
init_loops        | did not answer within [0-9.]+s
init_segfaults    | crashed \(Segmentation fault\)
register_throws   | no licence found
registers_nothing | registers nothing
bad_key           | got transform key 'Bad Key'
TABLE
}

# What can be opened: ANIMAL | KIND | LEVEL | the checks of that level that fail, no more and no less | exit code of a
# run that uses it | what the run says, "-" where a run cannot see the fault | how it shows later on.
# "finite" goes with "shape": of features that cannot be had it cannot be said that they are finite.
opened() {
  cat <<'TABLE'
duplicate_key     | transform | 1 | own_key                        | 2   | offered by two libraries: .*duplicate_key\.so.*good_transform\.so |
option_unchecked  | transform | 3 | option taps = 10 constructs    | 2   | option_unchecked\.so: transforms\.option_unchecked: .*_M_range_check |
factory_throws    | model     | 4 | input_refused_by_name,made     | 2   | factory_throws\.so: model: model 'factory_throws' failed: out of luck |
factory_null      | model     | 4 | input_refused_by_name,made     | 2   | factory_null\.so: .*model 'factory_null' was not made: the factory gave null |
destructor_throws | model     | 4 | input_refused_by_name,made     | 134 | error\[PLUGIN\]: .*destructor_throws\.so: crashed \(aborted\) |
wrong_shape       | model     | 5 | finite,shape                   | 2   | wrong_shape\.so: model: model 'wrong_shape' gave features float \[8, 9\] for float \[8, 1, 16, 7\], expected float \[8, 8\] |
nan_output        | model     | 5 | finite                         | 4   | model 'nan_output' of .*nan_output\.so makes them of finite input and weights |
forward_segfaults | model     | 5 | finite,shape                   | 139 | error\[PLUGIN\]: .*forward_segfaults\.so: crashed \(segmentation fault\) in its code |
forward_loops     | model     | 5 | finite,shape                   | 143 | - |
random_eval       | model     | 6 | deterministic                  | 0   | - | evaluate
ignores_draw      | transform | 6 | repeatable                     | 0   | - |
unstable_ids      | dataset   | 6 | stable_ids                     | 0   | - | resume
batch_dependent   | model     | 7 | batch_independent              | 0   | - |
damages_input     | transform | 7 | input_unchanged                | 0   | - |
racing_load       | dataset   | 7 | threads                        | 0   | - |
dropped_gradient  | model     | 8 | gradients                      | 0   | dropped_gradient\.so: model 'dropped_gradient' got no gradient from the first batch for 1 of its parameters: encoder\.scale |
state_not_saved   | model     | 8 | save_load                      | 0   | - | evaluate
unclean_state     | transform | 8 | state                          | 0   | - | evaluate
overlapping_split | dataset   | 8 | folds_apart                    | 0   | - |
TABLE
}

cat >"$scratch/config.yaml" <<'YAML'
data: {name: good_dataset}
split: {by: fold, test: 5}
transforms:
  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}
  - {name: log}
  - {name: good_transform}
model: {name: good_model}
train: {epochs: 1, batch_size: 8}
YAML
mkdir "$made"
echo "I am no library" >"$made/text.so"
: >"$made/empty.so"
head -c 6000 "$zoo/good_model.so" >"$made/truncated.so"
library() { if [ -e "$made/$1.so" ]; then echo "$made/$1.so"; else echo "$zoo/$1.so"; fi; } # ANIMAL
good=$zoo/good_model.so:$zoo/good_dataset.so:$zoo/good_transform.so

warned() { # PATTERN: once on stderr of the last command
  [ "$(grep -cE -- "$1" "$scratch/err")" = 1 ] || fail "$animal: stderr has not one line /$1/: $(cat "$scratch/err")"
}

# The checks that FILE fails, "LEVEL ID" a line, of what the last command said in JSON.
failed_checks() {
  awk '/"id": / { id = $0; sub(/.*"id": "/, "", id); sub(/",$/, "", id) }
       /"level": / { level = $2 + 0 }
       /"verdict": "failed"/ { print level, id }' "$scratch/out"
}

fails_check() { # LEVEL IDS OPTION...: of all checks up to LEVEL, those of LEVEL itself that fail are IDS
  exits 5 plugin check "$(library "$animal")" --json --level "$1" "${@:3}"
  local found
  found=$(failed_checks | sed -n "s/^$1 //p" | LC_ALL=C sort | paste -sd,)
  [ "$found" = "$2" ] || fail "$animal: fails '$found' of level $1, expected '$2': $(failed_checks) $(grep '"message": "[^"]' "$scratch/out" || true)"
}

# An animal that must not be opened.
meet_closed() { # REASON
  local warning
  warning="warning: plugin $(library "$animal"): .*($1)"
  exits 0 describe good_model
  said '^model good_model '
  warned "$warning"
  exits 2 describe "$animal"
  warned 'error\[PLUGIN-KEY\]: got unknown component'
  exits 2 run "$scratch/config.yaml" --out "$scratch/run" "transforms+={name: $animal}"
  warned "error\[PLUGIN-KEY\]: .*unknown transform '$animal'"
  warned "$warning"
  fails_check 1 load
  grep -qE "\"message\": \"[^\"]*($1)" "$scratch/out" || fail "$animal: the check does not say /$1/: $(cat "$scratch/out")"
}

# An animal that only its use brings out.
meet_open() { # KIND LEVEL CHECKS CODE SAYS LATER
  local kind=$1 level=$2 checks=$3 code=$4 says=$5 later=$6 words=()
  exits 0 describe "$([ "$animal" = duplicate_key ] && echo good_transform || echo "$animal")"
  said "$animal\.so"
  [ ! -s "$scratch/err" ] || fail "$animal: warned of before it did any harm: $(cat "$scratch/err")"

  case $animal in
    duplicate_key) ;;  # the config uses that key
    option_unchecked) words=("transforms+={name: option_unchecked, taps: 10}") ;;
    nan_output)  # one bin and one frame have no deviation
      words=("model={name: nan_output}" "transforms=[{name: mel_spectrogram, n_fft: 1024, hop: 1024, n_mels: 1}]") ;;
    *) case $kind in
      model) words=("model={name: $animal}") ;;
      dataset) words=("data={name: $animal}") ;;
      transform) words=("transforms+={name: $animal}") ;;
    esac ;;
  esac
  if [ "$animal" = forward_loops ]; then
    hangs "${words[@]}"
  else
    exits "$code" run "$scratch/config.yaml" --out "$scratch/run" "${words[@]}"
    [ "$says" = - ] || warned "$says"
    [ "$says" != - ] || ! grep -q "$animal" "$scratch/err" || [ "$code" != 0 ] || {
      ! grep -E 'warning|error' "$scratch/err" || fail "$animal: a run sees more than the table says"
    }
  fi
  case $later in
    evaluate)  # What is loaded computes something else than what was saved. It is drawn anew each time: close by chance
               # once in some fifty, so that one time of five must tell.
      for _ in 1 2 3 4 5; do
        code=0
        "$amae" evaluate "$scratch/run" >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
        [ "$code" = 0 ] || break
      done
      [ "$code" = 2 ] || fail "$animal: evaluate: exit $code, expected 2"
      warned 'golden: got an output that differs' ;;
    resume) cannot_resume "${words[@]}" ;;
  esac
  # Long enough for a busy machine; of what hangs, long enough is short.
  fails_check "$level" "$checks" --timeout "$([ "$animal" = forward_loops ] && echo 5 || echo 30)"
}

# A run that hangs in a plugin: the first signal asks it to save, the second ends it.
hangs() { # OVERRIDE...
  local pid code=0
  "$amae" run "$scratch/config.yaml" --out "$scratch/run" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
  pid=$!
  until grep -q '^run ' "$scratch/err" || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
  sleep 0.5
  kill -TERM $pid
  sleep 0.5
  kill -TERM $pid || fail "$animal: it did not hang: $(cat "$scratch/err")"
  wait $pid || code=$?
  [ "$code" = 143 ] || fail "$animal: exit $code, expected 143"
}

# A run that is interrupted and does not know its rows again.
cannot_resume() { # OVERRIDE...
  local pid run=$scratch/interrupted
  "$amae" run "$scratch/config.yaml" --out "$run" train.epochs=100000 train.save_interval=0 "$@" \
    >"$scratch/out" 2>"$scratch/err" </dev/null &
  pid=$!
  until [ -e "$run/checkpoints/last" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
  kill -TERM $pid
  wait $pid || true
  exits 2 resume "$run"
  warned 'run\.json: dataset: got .*start a new run'
}

# In a subshell with a folder of its own, so that several go on at once.
visit() ( # ANIMAL MEETING ARGUMENT...
  animal=$1 scratch=$scratch/$1 failures=0
  mkdir "$scratch"
  cp "${scratch%/*}/config.yaml" "$scratch"
  AMAE_PLUGIN_PATH=$good:$(library "$animal")
  export AMAE_PLUGIN_PATH
  begin=$SECONDS
  "${@:2}"
  echo "$animal: $((SECONDS - begin)) s$([ "$failures" = 0 ] || echo ", $failures FAILED")"
  exit $((failures > 0))
)

# The whole zoo at once: all are listed or named, and the good ones work. Two that offer one key are listed and must not
# be used, so that one stays away. What crashes or hangs is tried once and remembered.
animals=("$@") animal="the whole zoo"
if [ $# = 0 ]; then
  export AMAE_PLUGIN_PATH=$zoo:$made
  for round in first second; do
    exits 0 list
    while IFS='|' read -r name reason; do
      warned "^amae: warning: plugin $(library "${name// /}"): .*(${reason# })"
    done < <(closed)
    [ "$(wc -l <"$scratch/err")" = "$(closed | wc -l)" ] || fail "list warns of sound plugins: $(cat "$scratch/err")"
    while IFS='|' read -r name kind _; do
      [ "${name// /}" = duplicate_key ] || said "^${kind// /} +${name// /} "
    done < <(opened)
    for name in good_model good_dataset good_transform; do said "^[a-z]+ +$name +$name\.so"; done
    [ "$(grep -cE '^transform +good_transform ' "$scratch/out")" = 2 ] || fail "duplicate_key is not listed"
    [ $round = first ] || [ "$(grep -c 'is quarantined: its code' "$scratch/err")" -ge 3 ] || fail "tried again: $(cat "$scratch/err")"
  done
  exits 0 describe good_dataset
  said '^dataset good_dataset '
  AMAE_PLUGIN_PATH=$made
  for file in "$zoo"/*.so; do [ "${file##*/}" = duplicate_key.so ] || AMAE_PLUGIN_PATH+=:$file; done
  exits 0 run "$scratch/config.yaml" --out "$scratch/good"
  state_is "$scratch/good" finished
  AMAE_PLUGIN_PATH=$good
  for name in good_model good_dataset good_transform; do exits 0 plugin check "$zoo/$name.so" --level 8 --json; done
  while IFS='|' read -r name _; do animals+=("${name// /}"); done < <(closed; opened)
  [ ${#animals[@]} -ge 24 ] || fail "the zoo has ${#animals[@]} animals"
fi

# Each beside the good ones alone, as many at once as there are cores.
trim() { sed -E 's/^ +| +$//g' <<<"$1"; }
running=0
begin_visit() { # ANIMAL MEETING ARGUMENT...
  [[ " ${animals[*]} " == *" $1 "* ]] || return 0
  if [ $running -ge "$(nproc)" ]; then
    wait -n || failures=$((failures + 1))
    running=$((running - 1))
  fi
  visit "$@" &
  running=$((running + 1))
}
while IFS='|' read -r name reason; do
  begin_visit "$(trim "$name")" meet_closed "$(trim "$reason")"
done < <(closed)
while IFS='|' read -r name kind level checks code says later; do
  begin_visit "$(trim "$name")" meet_open "$(trim "$kind")" "$(trim "$level")" "$(trim "$checks")" "$(trim "$code")" \
    "$(trim "$says")" "$(trim "$later")"
done < <(opened)
while [ $running -gt 0 ]; do
  wait -n || failures=$((failures + 1))
  running=$((running - 1))
done
finish
