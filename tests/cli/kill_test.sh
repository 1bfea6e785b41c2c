#!/usr/bin/env bash
# kill -9 at random moments of embed and of index build: what was there stays whole, and the next run ends as if nothing
# had happened.
# usage: tests/cli/kill_test.sh [KILLS=6] [SEED=1]      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
kills=${1:-6} seed=${2:-1}
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
RANDOM=$seed
run=$scratch/run store=$scratch/store
exits 0 run "$top/configs/quickstart.yaml" train.epochs=1 data.clips_per_class=10 --out "$run" --quiet
mkdir "$scratch/sounds"
for i in $(seq 60); do wav "$scratch/sounds/$i.wav" $((300 + 50 * i)) "words number $i"; done

seconds() { # COMMAND...: how long it takes, in ms
  local begin
  begin=$(date +%s%N)
  "$@" >/dev/null 2>&1
  echo $((($(date +%s%N) - begin) / 1000000))
}
killed_within() { # MILLISECONDS COMMAND...: at a random moment; false when it was done before
  local limit=$1 code=0
  shift
  local ms=$((RANDOM * 32768 + RANDOM))
  ms=$((ms % limit + 1))
  { timeout -s KILL "$((ms / 1000)).$(printf %03d $((ms % 1000)))" "$@" >/dev/null 2>&1; } 2>/dev/null || code=$?
  [ "$code" = 137 ]
}

# What a straight run leaves.
embed=("$amae" embed "$run" "$scratch/sounds" --batch-size 1 --quiet --out)
whole_ms=$(seconds "${embed[@]}" "$scratch/straight")

# The state before: a store of half of the sounds, with its index.
half=()
for i in $(seq 30); do half+=("$scratch/sounds/$i.wav"); done
exits 0 embed "$run" "${half[@]}" --batch-size 1 --out "$scratch/before" --quiet
exits 0 index build "$scratch/before" --type hnsw --quiet

cut_short=0 finished=0
for _ in $(seq "$kills"); do
  rm -rf "$store" "$store".*
  cp -r "$scratch/before" "$store"
  # In the middle of the work, and once more where the first one left off.
  for _ in 1 2; do
    if killed_within "$whole_ms" "${embed[@]}" "$store"; then cut_short=$((cut_short + 1)); else finished=$((finished + 1)); fi
    if cmp -s "$store/items.csv" "$scratch/before/items.csv"; then
      exits 0 index verify "$store"
    else
      same "$store/items.csv" "$scratch/straight/items.csv"
    fi
  done
  exits 0 embed "$run" "$scratch/sounds" --batch-size 1 --out "$store" --quiet
  same "$store/items.csv" "$scratch/straight/items.csv"
  same "$store/embeddings.npy" "$scratch/straight/embeddings.npy"
  [ -z "$(find "$scratch" -maxdepth 1 -name 'store.*')" ] || fail "left beside the store: $(ls "$scratch")"
done
[ "$cut_short" -gt 0 ] || fail "embed: no kill came in time"
echo "embed: $cut_short killed, $finished were done before"

# The index: a build over the old one.
build=("$amae" index build "$store" --type hnsw --links 64 --ef-construction 2000 --afresh --quiet)
cp "$store/index.bin" "$scratch/old_index.bin"
build_ms=$(seconds "${build[@]}")
cp "$store/index.bin" "$scratch/new_index.bin"
cut_short=0 finished=0
for _ in $(seq "$kills"); do
  cp "$scratch/new_index.bin" "$store/index.bin"
  if killed_within "$build_ms" "${build[@]}"; then cut_short=$((cut_short + 1)); else finished=$((finished + 1)); fi
  exits 0 index verify "$store"
done
exits 0 index build "$store" --type hnsw --links 64 --ef-construction 2000 --afresh --quiet
exits 0 index verify "$store"
[ -z "$(find "$store" -name 'index.bin.*')" ] || fail "left beside the index: $(ls "$store")"
[ "$cut_short" -gt 0 ] || fail "index build: no kill came in time"
echo "index build: $cut_short killed, $finished were done before"
finish
