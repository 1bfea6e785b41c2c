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
exits 0 index verify "$store" # its bytes are whole
said "is of an older state of this store; amae index build $store\$"
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

# What would be ignored is refused, and a flag goes both ways.
refuses 2 'error\[USAGE\]: --type: got it beside --factory Flat' index build "$store" --type flat --factory Flat
refuses 2 'error\[USAGE\]: --lists: got it beside --type hnsw' index build "$store" --type hnsw --lists 4
refuses 2 'error\[USAGE\]: --lists: got it beside --type hnsw' index build "$store" --lists 4 # the type that it has
refuses 2 'error\[USAGE\]: --ef-search: got it beside --type flat' index build "$store" --type flat --ef-search 9
refuses 2 'error\[USAGE\]: --code-bytes: got it beside --type ivf_flat' index build "$store" --type ivf_flat --code-bytes 8
refuses 2 'error\[USAGE\]: --links: got it beside --factory HNSW8' index build "$store" --factory HNSW8 --links 9
refuses 2 'error\[USAGE\]: --pca: got it beside --metric l2' index build "$store" --metric l2 --pca 5
refuses 2 'error\[USAGE\]: --centre: got it beside --metric inner_product' index build "$store" --metric inner_product --no-centre
refuses 2 'error\[USAGE\]: --min-dist: got it beside --method pca' map "$store" --method pca --min-dist 0.2 --out "$scratch/pca"
refuses 2 'error\[USAGE\]: --model: got it beside ids' search "$store" "$id" --model "$run"
exits 0 index build "$store" --type flat --no-centre --no-l2 --quiet
exits 0 index build "$store" --quiet
said "0 added, 0 removed"
exits 0 index info "$store" --json
said '"centre": false'
said '"l2": false'
exits 0 index build "$store" --centre --l2 --quiet
exits 0 index info "$store" --json
said '"centre": true'
said '"l2": true'

# An output that cannot be written is told before any work: here before there is a store.
none=$scratch/nowhere
mkdir "$scratch/taken.svg"
refuses 2 'error\[FILE\]: --html: got .*nowhere/x.html, expected a file in a folder that is there' search "$none" a --html "$none/x.html"
refuses 2 'error\[FILE\]: --html: got .*, expected a file, or nothing there' search "$none" a --html "$scratch"
refuses 2 'error\[FILE\]: --out: got' index evaluate "$none" --out "$none/x.json"
refuses 2 'error\[FILE\]: --out: got' index export "$none" --out "$none/x.npy"
refuses 2 'error\[USAGE\]: --out: got .*x.txt, expected FILE.npy or FILE.faiss' index export "$none" --out x.txt
refuses 2 'error\[FILE\]: --out: got .*taken.svg' map "$none" --out "$scratch/taken"
refuses 3 'error\[FILE\]: .*cannot create folder' map "$none" --out "$store/items.csv/map"

# Exported: the bytes that FAISS wrote into the index, whole or not at all.
exits 0 index export "$store" --out "$scratch/x.faiss"
told=$(tail -c 4096 "$store/index.bin" | grep -a -A 2 '"faiss": {')
bytes=$(grep -o '"bytes": [0-9]*' <<<"$told" | tr -dc 0-9) offset=$(grep -o '"offset": [0-9]*' <<<"$told" | tr -dc 0-9)
tail -c +$((4096 + offset + 1)) "$store/index.bin" | head -c "$bytes" >"$scratch/within"
same "$scratch/x.faiss" "$scratch/within"
exits 0 index export "$store" --out "$scratch/x.npy"
head -c 128 "$scratch/x.npy" | grep -aqF "'shape': ($(($(wc -l <"$store/items.csv") - 1)), " || fail "x.npy: $(head -1 "$scratch/x.npy")"
for file in x.faiss x.npy; do
  code=0
  cp "$scratch/$file" "$scratch/before"
  (trap '' XFSZ && ulimit -f 8 && "$amae" index export "$store" --out "$scratch/$file") >/dev/null 2>"$scratch/err" || code=$?
  [ "$code" = 3 ] || fail "export to a disk that is full: exit $code, expected 3: $(cat "$scratch/err")"
  same "$scratch/$file" "$scratch/before"
done
[ -z "$(find "$scratch" -name '*.tmp-*')" ] || fail "left beside the outputs: $(find "$scratch" -name '*.tmp-*')"

# Distances: what is farther has the shorter bar.
exits 0 index build "$store" --metric l2 --quiet
exits 0 search "$store" "$id" -k 5 --html "$scratch/far.html"
grep -q '<span class="score">distance ' "$scratch/far.html" || fail "the page does not say distance"
grep -o 'style="width:[0-9.]*' "$scratch/far.html" | cut -d : -f 2 >"$scratch/bars"
[ "$(wc -l <"$scratch/bars")" = 5 ] || fail "expected five bars"
sort -c -g -r "$scratch/bars" || fail "bars of distances: $(cat "$scratch/bars")"
exits 0 index build "$store" --metric cosine --quiet

# A data set's columns do not hide those of a hit.
mkdir "$scratch/ranked"
wav "$scratch/ranked/a.wav" 1000 "one sound"
wav "$scratch/ranked/b.wav" 1000 "and another"
printf 'path,label,rank,score\na.wav,x,7,70\nb.wav,y,9,90\n' >"$scratch/ranked/clips.csv"
exits 0 embed "$run" audio_csv "file=$scratch/ranked/clips.csv" 'columns=[rank, score]' --out "$scratch/ranked_store" --quiet
exits 0 index build "$scratch/ranked_store" --quiet
exits 0 search "$scratch/ranked_store" a.wav -k 1 --format jsonl
said '"rank":1,.*"data.rank":"9"'
said '"data.score":"90"'

# Figures, map and audit.
exits 0 index evaluate "$store"
said '^mean '
exits 0 index evaluate "$store" --query fold=1 --json --out "$scratch/figures.json"
said '"hit@1"'
there "$scratch/figures.json"
refuses 2 'error\[QUERY\].*--query: got .* rows as queries of which none can be judged' index evaluate "$store" --query "label=$label"
exits 0 map "$store" --out "$scratch/map" --color fold
there "$scratch"/map.{csv,svg}
[ "$(wc -l <"$scratch/map.csv")" = "$(wc -l <"$store/items.csv")" ] || fail "map.csv has not every item"
exits 0 map "$store" --method pca --out "$scratch/pca"
refuses 2 'color: got column .lable.' map "$store" --color lable
exits 0 data audit "$store"
said 'rows; .* labels that neighbours contradict'
exits 0 data audit "$store" --json
said '"near_duplicates"'
exits 0 data audit "$store" --neighbours 10000 --duplicate -1 # all pairs
said '[0-9]+ more are not shown'
said '[0-9]{5} near duplicates'

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

# Ctrl-C in the middle of a long build: soon, and the old index stays.
wav "$scratch/head.wav" 60000 x
(head -c 44 "$scratch/head.wav" && (seq 100000 999999 2>/dev/null || true) | head -c $((60000 * 32))) >"$scratch/long.wav"
exits 0 embed "$run" "$scratch/long.wav" --chunk 0.1s --hop 10ms --timestamps --out "$scratch/long" --quiet
exits 0 index build "$scratch/long" --quiet
cp "$scratch/long/index.bin" "$scratch/old_index.bin"
code=0 begin=$(date +%s%N)
timeout --preserve-status -s INT 1 "$amae" index build "$scratch/long" --type hnsw --links 64 --ef-construction 2000 \
  --afresh --quiet --threads 2 >/dev/null 2>&1 || code=$?
ms=$((($(date +%s%N) - begin) / 1000000))
[ "$code" = 130 ] || fail "interrupted build: exit $code after $ms ms, expected 130"
[ "$ms" -lt 6000 ] || fail "interrupted build: ended $((ms - 1000)) ms after the signal"
same "$scratch/long/index.bin" "$scratch/old_index.bin"
[ -z "$(find "$scratch/long" -name 'index.bin.*')" ] || fail "left beside the index: $(ls "$scratch/long")"
exits 0 index verify "$scratch/long"

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
