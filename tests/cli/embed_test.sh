#!/usr/bin/env bash
# From a trained model to vectors of files of any length.
# usage: tests/cli/embed_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
run=$scratch/run out=$scratch/vectors
exits 0 run "$top/configs/quickstart.yaml" train.epochs=1 data.clips_per_class=10 --out "$run" --quiet

mkdir "$scratch/sounds"
wav "$scratch/sounds/short.wav" 700 "gzrrpm"
wav "$scratch/sounds/long.wav" 3500 "a tone of some kind"

# A vector for each file; the same again.
exits 0 embed "$run" "$scratch/sounds" --out "$out" --quiet
said '^2 vectors of [0-9]+ numbers; 5 chunks of 1 s, one every 1 s$'
said "^$out/embeddings.npy$"
there "$out"/embeddings.{npy,csv}
[ "$(cut -d , -f 2,3 "$out/embeddings.csv" | tr '\n' ' ')" = "start_s,end_s 0,3.5 0,0.7 " ] ||
  fail "embeddings.csv: $(cat "$out/embeddings.csv")"
exits 0 embed "$run/checkpoints/last" "$scratch/sounds" --out "$scratch/again.npy" --json --quiet
said '"rows":2,"width":[0-9]+,"chunk_s":1.0,"hop_s":1.0'
said "\"table\":\"$scratch/again.csv\""
same "$out/embeddings.npy" "$scratch/again.npy"

# A vector for each chunk.
exits 0 embed "$run" "$scratch/sounds/long.wav" --timestamps --chunk 1s --hop "500 ms" --out "$out" --quiet
said '^6 vectors'
[ "$(tail -1 "$out/embeddings.csv" | cut -d , -f 2,3)" = 2.5,3.5 ] || fail "the last chunk: $(tail -1 "$out/embeddings.csv")"

# One bad file does not keep the others from being embedded.
echo "no sound" >"$scratch/sounds/bad.wav"
exits 2 embed "$run" "$scratch/sounds" --out "$scratch/some" --quiet
grep -q "bad.wav" "$scratch/err" || fail "the bad file is not named"
[ "$(wc -l <"$scratch/some/embeddings.csv")" = 3 ] || fail "some: expected a header and two files"
rm -r "$scratch/some"
exits 2 embed "$run" "$scratch/sounds/bad.wav" --out "$scratch/some" --quiet
[ -z "$(ls -A "$scratch/some")" ] || fail "nothing was embedded, and yet something was written"

refuses 2 '--chunk: got .*2 parsecs' embed "$run" "$scratch/sounds/long.wav" --chunk "2 parsecs"
refuses 2 '--chunk: got 2 s, expected at most 1 s' embed "$run" "$scratch/sounds/long.wav" --chunk 2s
refuses 2 '/nowhere' embed /nowhere "$scratch/sounds/long.wav"
refuses 2 'error\[USAGE\]' embed "$run"
refuses 3 '/proc/nowhere' embed "$run" "$scratch/sounds/long.wav" --out /proc/nowhere --quiet
finish
