#!/usr/bin/env bash
# From a store of vectors to what is similar: index, search, figures, map, audit.
# usage: tests/cli/search_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
run=$scratch/run store=$scratch/store
exits 0 run "$top/configs/quickstart.yaml" train.epochs=2 data.clips_per_class=27 --out "$run" --quiet
exits 0 embed "$run" --out "$store" --quiet
rows=$(($(wc -l <"$store/items.csv") - 1))
id=$(sed -n 2p "$store/items.csv" | cut -d , -f 1)
label=$(sed -n 2p "$store/items.csv" | cut -d , -f 3)

refuses 2 'index.bin: got no index.*amae index build' search "$store" "$id"
exits 0 index info "$store"
said "^vectors  $rows of"
said '^index    none'
exits 0 index build "$store" --quiet
said "$rows added, 0 removed, 0 kept"
exits 0 index build "$store" --quiet
said "0 added, 0 removed, $rows kept"
exits 0 index info "$store" --json
said '"index_is_present_state": true'
exits 0 index verify "$store"
said 'are whole'

# An item never finds itself; a filter is exact; a row's vector finds the row.
exits 0 search "$store" "$id" -k 5 --format csv
[ "$(wc -l <"$scratch/out")" = 6 ] || fail "search: expected a header and five rows"
! tail -n +2 "$scratch/out" | cut -d , -f 4 | grep -qx -- "$id" || fail "an item found itself"
exits 0 search "$store" "$id" -k 3 --where "label=$label" --where fold=2 --format jsonl
said "\"rank\":3"
[ "$(grep -o "\"label\":\"$label\"" "$scratch/out" | wc -l)" = 3 ] || fail "filter: $(cat "$scratch/out")"
[ "$(grep -o '"fold":"2"' "$scratch/out" | wc -l)" = 3 ] || fail "filter: $(cat "$scratch/out")"
exits 0 search "$store" "$store/embeddings.npy" -k 1 --format csv
tail -n +2 "$scratch/out" | cut -d , -f 4 >"$scratch/found"
tail -n +2 "$store/items.csv" | cut -d , -f 1 >"$scratch/expected"
same "$scratch/found" "$scratch/expected"

# A sound file is embedded by the model that made the store, and the page has it all.
wav "$scratch/query.wav" 1000 "gzrrpm and so on"
exits 0 search "$store" "$scratch/query.wav" "$id" -k 4 --html "$scratch/page.html"
said 'RANK'
[ "$(grep -o '<audio' "$scratch/page.html" | wc -l)" = 10 ] || fail "page: expected 10 sounds, got $(grep -o '<audio' "$scratch/page.html" | wc -l)"
[ "$(grep -o 'data:image/png' "$scratch/page.html" | wc -l)" = 10 ] || fail "page: expected 10 pictures"

# Each mistake is one line.
refuses 2 "error\[QUERY\]: QUERY: got 'nothing'" search "$store" nothing
refuses 2 "error\[QUERY\].*-k: got $rows, expected 1 to $((rows - 1))" search "$store" "$id" -k "$rows"
refuses 2 "error\[QUERY\]: -k: got .*fulfil --where" search "$store" "$scratch/query.wav" -k 30 --where "label=$label" --where fold=1
refuses 2 'where: got column .lable., .*did you mean label' search "$store" "$id" --where lable=x
refuses 2 'where: got .fold.' search "$store" "$id" --where fold
refuses 2 'no row that fulfils' search "$store" "$id" --where fold=99
printf "\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }                                                          \n12345678" >"$scratch/narrow.npy"
refuses 2 'narrow.npy: got vectors of shape \(1, 2\), expected' search "$store" "$scratch/narrow.npy"
refuses 2 'error\[STORE\]: .*got no embedding store' search "$scratch" "$id"

# Another model's vectors and bundle are refused.
exits 0 run "$top/configs/quickstart.yaml" train.epochs=1 data.clips_per_class=27 seed=7 --out "$scratch/other" --quiet
exits 0 embed "$scratch/other" --out "$scratch/other_store" --quiet
refuses 2 'error\[MODEL\]: .*other_store/embeddings.npy: weights of the model: got .*another model' search "$store" "$scratch/other_store/embeddings.npy"
refuses 2 'error\[MODEL\]: .*weights of the model' search "$store" "$scratch/query.wav" --model "$scratch/other"

# An index of an older state says so, and takes up what is new.
exits 0 embed "$run" "$run/config.yaml" data.clips_per_class=28 --out "$store" --quiet
refuses 2 'index.bin: got an index of another state.*amae index build' search "$store" "$id"
exits 0 index build "$store" --quiet
said "0 removed, $rows kept"
exits 0 search "$store" "$id" -k 3

# The other types; their neighbours at full effort are the exact ones.
exits 0 search "$store" "$id" -k 10 --format csv
cp "$scratch/out" "$scratch/exact"
for type in "hnsw --ef-search 500" "ivf_flat --lists 4 --probes 4"; do
  # shellcheck disable=SC2086
  exits 0 index build "$store" --type $type --quiet
  exits 0 search "$store" "$id" -k 10 --format csv
  diff <(cut -d , -f 1,2,4 "$scratch/exact") <(cut -d , -f 1,2,4 "$scratch/out") >/dev/null || fail "$type finds others"
done
exits 0 index build "$store" --type ivf_pq --lists 2 --quiet
exits 0 index build "$store" --factory IVF2,SQ8 --quiet
refuses 2 'FAISS cannot make an index "Nonsense"' index build "$store" --factory Nonsense --quiet
exits 0 index build "$store" --type hnsw --ef-search 1 --quiet
exits 0 index build "$store" --quiet # without options: as it is
said "0 added, 0 removed"
exits 0 index build "$store" --ef-search 2 --quiet # how hard it tries is no reason to build anew
said "0 added, 0 removed"
exits 0 index info "$store"
said '^index      hnsw'
said '^ef_search  2$'
exits 0 index tune "$store" -k 5 --quiet
said 'chosen'

# Figures, map and audit.
exits 0 index evaluate "$store"
said '^mean '
exits 0 index evaluate "$store" --query fold=1 --json --out "$scratch/figures.json"
said '"hit@1"'
there "$scratch/figures.json"
exits 0 map "$store" --out "$scratch/map" --color fold
there "$scratch"/map.{csv,svg}
[ "$(wc -l <"$scratch/map.csv")" = "$(wc -l <"$store/items.csv")" ] || fail "map.csv has not every item"
exits 0 map "$store" --method pca --out "$scratch/pca"
refuses 2 'color: got column .lable.' map "$store" --color lable
exits 0 data audit "$store"
said 'rows; .* labels that neighbours contradict'
exits 0 data audit "$store" --json
said '"near_duplicates"'

# Damage is named, by whatever reads it.
for file in embeddings.npy items.csv manifest.json index.bin; do
  rm -rf "$scratch/bad"
  cp -r "$store" "$scratch/bad"
  size=$(stat -c %s "$scratch/bad/$file")
  truncate -s $((size - 1)) "$scratch/bad/$file"
  refuses 2 "$file" search "$scratch/bad" "$id"
  cp "$store/$file" "$scratch/bad/$file"
  printf '\377' | dd of="$scratch/bad/$file" bs=1 seek=$((size / 2)) conv=notrunc status=none
  refuses 2 "$file" search "$scratch/bad" "$id"
done

# A config does all of it, fold by fold: the untrained baseline here.
cat >"$scratch/embed.yaml" <<Y
task: embed
data: {name: synthetic_sounds, clips_per_class: 10, duration: 0.5, rate: 8 kHz}
folds: [1, 2]
transforms: [{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}]
model: {name: mel_stats}
Y
exits 0 run "$scratch/embed.yaml" --out "$scratch/embed_run" --quiet
there "$scratch"/embed_run/{retrieval.json,retrieval.csv,folds/1/embeddings/index.bin,folds/2/retrieval.json}
exits 0 run "$scratch/embed.yaml" folds=[] init_from="$run" model=null transforms=[] --out "$scratch/embed_one" --quiet
there "$scratch/embed_one/embeddings/index.bin"
refuses 2 'model: got no value' run "$scratch/embed.yaml" model=null --out "$scratch/none" --quiet
finish
