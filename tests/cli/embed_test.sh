#!/usr/bin/env bash
# From a trained model to a store of vectors that is brought up to date and survives being killed.
# usage: tests/cli/embed_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
run=$scratch/run out=$scratch/vectors
exits 0 run "$top/configs/quickstart.yaml" train.epochs=1 data.clips_per_class=10 --out "$run" --quiet

mkdir "$scratch/sounds"
wav "$scratch/sounds/short.wav" 700 "gzrrpm"
wav "$scratch/sounds/long.wav" 3500 "a tone of some kind"

# A vector for each file; a second run computes nothing and writes nothing.
exits 0 embed "$run" "$scratch/sounds" --out "$out" --quiet
said '^2 items as 2 vectors of [0-9]+ numbers: 2 computed, 0 taken up again, 0 kept, 0 removed; 5 chunks of 1 s, one every 1 s$'
there "$out"/{embeddings.npy,items.csv,manifest.json}
[ "$(cut -d , -f 5,6 "$out/items.csv" | tr '\n' ' ')" = "start,end 0,3.5 0,0.7 " ] || fail "items.csv: $(cat "$out/items.csv")"
before=$(stat -c '%i %Y' "$out"/*)
exits 0 embed "$run" "$scratch/sounds" --out "$out" --json --quiet
said '"items":2,"rows":2,"width":[0-9]+,"computed":0,"kept":2,"resumed":0,"removed":0,"evaluated_chunks":0'
[ "$before" = "$(stat -c '%i %Y' "$out"/*)" ] || fail "an unchanged store was written"

# The same vectors whoever asks, and through the bundle.
exits 0 embed "$run/checkpoints/last" "$scratch/sounds" --out "$scratch/again" --quiet
same "$out/embeddings.npy" "$scratch/again/embeddings.npy"

# One file changes, one comes, one goes: two are computed.
wav "$scratch/sounds/new.wav" 900 "something else"
wav "$scratch/sounds/short.wav" 700 "other words"
exits 0 embed "$run" "$scratch/sounds" --out "$out" --json --quiet
said '"items":3,.*"computed":2,"kept":1,"resumed":0,"removed":0'
rm "$scratch/sounds/new.wav"
exits 0 embed "$run" "$scratch/sounds" --out "$out" --json --quiet
said '"items":2,.*"computed":0,"kept":2,"resumed":0,"removed":1,"evaluated_chunks":0'
touch "$scratch/sounds/short.wav"  # times say nothing
exits 0 embed "$run" "$scratch/sounds" --out "$out" --json --quiet
said '"computed":0'

# A vector for each chunk; other options are another store.
exits 0 embed "$run" "$scratch/sounds/long.wav" --timestamps --chunk 1s --hop "500 ms" --out "$scratch/parts" --quiet
said '^1 items as 6 vectors'
tail -1 "$scratch/parts/items.csv" | grep '^"[^"]*long.wav#t=2.5,3.5",' >/dev/null || fail "the last chunk: $(tail -1 "$scratch/parts/items.csv")"
refuses 2 'chunk: got 0.5, expected 1 .*--rebuild' embed "$run" "$scratch/sounds" --chunk 0.5s --out "$out" --quiet
refuses 2 'type: got float16, expected float32' embed "$run" "$scratch/sounds" --type float16 --out "$out" --quiet
exits 0 embed "$run" "$scratch/sounds" --type float16 --rebuild --out "$out" --quiet
said '2 computed'
exits 0 embed "$run" "$scratch/sounds" --rebuild --out "$out" --quiet

# Another model never mixes in.
exits 0 run "$top/configs/quickstart.yaml" train.epochs=1 data.clips_per_class=10 seed=7 --out "$scratch/other" --quiet
refuses 2 'weights of the model: got [0-9a-f]*, expected' embed "$scratch/other" "$scratch/sounds" --out "$out" --quiet

# A data set, by config and by default the run's own: labels, folds and columns come along.
exits 0 embed "$run" --out "$scratch/own" --quiet
[ "$(head -1 "$scratch/own/items.csv" | cut -d , -f 1-7)" = id,path,label,fold,start,end,content ] || fail "own: $(head -1 "$scratch/own/items.csv")"
exits 0 embed "$run" "$top/configs/quickstart.yaml" data.clips_per_class=10 --out "$scratch/config" --quiet
cmp -s "$scratch/own/embeddings.npy" "$scratch/config/embeddings.npy" || fail "the run's data by its config"

# One bad file does not keep the others from being embedded.
echo "no sound" >"$scratch/sounds/bad.wav"
exits 2 embed "$run" "$scratch/sounds" --out "$scratch/some" --quiet
grep -q "bad.wav" "$scratch/err" || fail "the bad file is not named"
[ "$(wc -l <"$scratch/some/items.csv")" = 3 ] || fail "some: expected a header and two files"
exits 2 embed "$run" "$scratch/sounds/bad.wav" --out "$scratch/none" --quiet
[ ! -e "$scratch/none" ] || fail "nothing was embedded, and yet something was written"
rm "$scratch/sounds/bad.wav"

# A damaged store is named and made anew; by the same model with the same options alone.
printf 'x' | dd of="$out/embeddings.npy" bs=1 seek=200 conv=notrunc status=none
exits 2 embed "$run" "$scratch/sounds" --chunk 0.5s --out "$out" --quiet
grep -q 'chunk: got 0.5, expected 1 .*--rebuild' "$scratch/err" || fail "damage let another chunk in: $(cat "$scratch/err")"
exits 0 embed "$run" "$scratch/sounds" --out "$out" --quiet
grep -q "embeddings.npy.*does not match its hash" "$scratch/err" || fail "the damage is not named: $(cat "$scratch/err")"
exits 0 index verify "$out"

# What a run cut short left is dropped only when somebody says so; one process at a time; links stay links.
mkdir "$out.partial"
echo hours >"$out.partial/rows.bin"
echo "another model" >"$out.partial/maker.txt"
refuses 2 'vectors.partial: got vectors of a run cut short .*--rebuild' embed "$run" "$scratch/sounds" --out "$out" --quiet
there "$out.partial/rows.bin"
exits 0 embed "$run" "$scratch/sounds" --rebuild --out "$out" --quiet
[ ! -e "$out.partial" ] || fail "vectors.partial is still there"
mkdir "$out.partial"
(
  flock -x 9
  refuses 3 'vectors.partial/lock: is in use' embed "$run" "$scratch/sounds" --out "$out" --quiet
  [ "$failures" = 0 ]
) 9>"$out.partial/lock" || fail "two at once"
rm -r "$out.partial"
ln -s vectors "$scratch/link"
wav "$scratch/sounds/third.wav" 800 "three"
exits 0 embed "$run" "$scratch/sounds" --out "$scratch/link" --quiet
said '^3 items .*: 1 computed'
[ -L "$scratch/link" ] || fail "the link was replaced"
exits 0 index verify "$out"
refuses 2 '--chunk: got .*2 parsecs' embed "$run" "$scratch/sounds/long.wav" --chunk "2 parsecs"
refuses 2 '--chunk: got 2 s, expected at most 1 s' embed "$run" "$scratch/sounds/long.wav" --chunk 2s --out "$scratch/no"
refuses 2 '/nowhere' embed /nowhere "$scratch/sounds/long.wav"
refuses 2 'error\[USAGE\]' embed
# A folder is replaced as a whole, so one that holds anything else is never taken for a store.
echo '{}' >"$scratch/sounds/manifest.json"
refuses 2 'holds [a-z0-9.]*, expected nothing but a store' embed "$run" "$scratch/sounds/long.wav" --out "$scratch/sounds" --quiet
there "$scratch"/sounds/{long.wav,manifest.json}
refuses 3 '/proc/nowhere' embed "$run" "$scratch/sounds/long.wav" --out /proc/nowhere --quiet
finish
