#!/usr/bin/env bash
# Measures how fast maps are read, and what that takes of the node: everything in turn, again and again, on the same maps, and
# prints one table of medians and ratios. As root.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$repository/deploy/prerequisites.sh"
. "$repository/deploy/programs.sh"

usage() {
  cat <<'USAGE'
Usage: tests/bench.sh [--runs N] [--programs DIR] [NAME]...

Names choose what is measured; without any, everything is (half an hour):
  maps     hash typed hash10m percpu array lpm large sparse
  paths    batch element bpftool unix tcp mtls jit raw ndjson json
  agent    cpu memory endurance allocations start pages pagers

  --runs N        medians of N runs; 5 by default
  --programs DIR  programs that are published already, as BpfRemote.Agent, BpfRemote.Cli and BpfRemote.Load in DIR
USAGE
}

all_maps='hash typed hash10m percpu array lpm large sparse'
all_paths='batch element bpftool unix tcp mtls jit raw ndjson json'
all_agent='cpu memory endurance allocations start pages pagers'

runs=5 programs=
maps= paths= agent=
while [ $# -gt 0 ]; do
  case $1 in
    --runs) runs=$2; shift ;;
    --programs) programs=$(readlink -f "$2"); shift ;;
    -h | --help) usage; exit ;;
    *)
      if [[ " $all_maps " == *" $1 "* ]]; then maps+=" $1"
      elif [[ " $all_paths " == *" $1 "* ]]; then paths+=" $1"
      elif [[ " $all_agent " == *" $1 "* ]]; then agent+=" $1"
      else usage >&2; exit 2; fi ;;
  esac
  shift
done
if [ -z "$maps$paths$agent" ]; then
  agent=$all_agent
fi
if [ -z "$agent" ] || [ -n "$maps$paths" ]; then
  maps=${maps:-$all_maps} paths=${paths:-$all_paths}
elif [ "$agent" = "$all_agent" ]; then
  maps=$all_maps paths=$all_paths
fi
paths=" batch $paths " # what all others are compared with

is_root || fail 'making and reading eBPF maps takes root: run this as root'
need_sdk
apt_install libbpf1 libbpf-dev gcc libc6-dev clang zlib1g-dev bpftool openssl || true
need_libbpf
need_bpffs

scratch=$(mktemp -d /tmp/bpfremote-bench-XXXXXX)
pins=/sys/fs/bpf/${scratch##*/}
out=$(mktemp /dev/shm/bpfremote-bench-XXXXXX) # in memory: what a disk takes is not the programs' time
mkdir -p "$pins" "$scratch/bin"
chmod 711 "$scratch" # the agent's server, a user without privilege, passes through
touch "$scratch/times" "$scratch/measures"

clean_up() {
  trap '' EXIT INT TERM HUP
  stop_all
  rm -rf "$scratch" "$pins" "$out"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wants() { [[ " $1 " == *" $2 "* ]]; }
say() { printf '%s\n' "$*" >&2; }

# ---- what is measured ----

say 'Building ...'
for program in read-map make-map; do
  gcc -O2 -Wall -Wextra -o "$scratch/bin/$program" "$repository/tests/native/$program.c" -lbpf
done
for project in src/BpfRemote.Agent src/BpfRemote.Cli tests/BpfRemote.Load; do
  if [ -n "$programs" ]; then
    cp -r "$programs/${project##*/}" "$scratch/"
  else
    quietly dotnet publish "$repository/$project" --configuration Release --use-current-runtime --output "$scratch/${project##*/}" \
      --verbosity quiet --nologo
  fi
done
if wants "$paths" jit; then
  quietly dotnet build "$repository/src/BpfRemote.Agent" --configuration Release --output "$scratch/jit" --verbosity quiet --nologo
  DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
  export DOTNET_ROOT
fi
if wants "$agent" allocations; then
  quietly dotnet build "$repository/tests/BpfRemote.Benchmarks" --configuration Release --verbosity quiet --nologo
fi
cp "$scratch/BpfRemote.Cli/bpfremote" "$scratch/BpfRemote.Load/bpfremote-load" "$scratch/bin/"
PATH="$scratch/bin:$PATH"

# shape MAP: type, bytes of a key, of a value, max_entries, entries.
shape() {
  case $1 in
    hash) echo hash 16 32 1048576 1000000 ;;
    typed) echo hash 16 32 1048576 1000000 typed ;;
    hash10m) echo hash 8 8 10000000 10000000 ;;
    percpu) echo percpu_hash 8 8 131072 100000 ;;
    array) echo array 4 8 1000000 1000000 ;;
    lpm) echo lpm_trie 8 8 131072 100000 ;;
    large) echo hash 8 4096 16384 10000 ;;
    sparse) echo hash 8 8 4194304 1000 ;;
  esac
}

# need_map MAP: makes it where that has not been done.
need_map() {
  [ ! -e "$pins/$1" ] || return 0
  local type key value max entries typed
  read -r type key value max entries typed <<<"$(shape "$1")"
  # shellcheck disable=SC2086 # `typed` is a word or none
  make-map "$type" "$key" "$value" "$max" "$entries" "$pins/$1" $typed
}

# run_agent NAME PROGRAM [ARGUMENT…]: an agent on a socket of its own, unix://$scratch/NAME.sock.
run_agent() {
  local name=$1 program=$2
  shift 2
  ln -sf "$program" "$scratch/bin/$name"
  start "Listening on unix" "$scratch/bin/$name" \
    --listen "unix://$scratch/$name.sock" --runtime-dir "$scratch/$name.run" "${policy[@]}" "$@"
  agent_pid=${started[-1]}
}

aot=$scratch/BpfRemote.Agent/bpfremote-agent
can() { "$aot" --help | grep -q -e "$1"; }

# Everybody here may read the maps that are made here, as fast and as often as they like.
policy=()
if can --policy-file; then
  cat >"$scratch/policy.json" <<'POLICY'
{
  "rules": [
    { "principals": ["unix:*", "x509:*", "anonymous"], "rights": ["list", "read", "full_pace"], "maps": [{ "name": "bench" }] }
  ],
  "limits": [{ "principals": ["unix:*"], "maxConcurrentScans": 32 }]
}
POLICY
  policy=(--policy-file "$scratch/policy.json")
fi

# issue NAME EXTENSION: a certificate of the authority below, and its key.
issue() {
  quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$scratch/$1.key" -out "$scratch/$1.csr"
  quietly openssl x509 -req -in "$scratch/$1.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 1 \
    -extfile <(echo "$2") -out "$scratch/$1.pem"
  chmod 644 "$scratch/$1.key" # the agent's server is another user
}

mtls=()
if wants "$paths" mtls; then
  if can --tls-client-ca-file; then
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench -days 1 \
      -keyout "$scratch/ca.key" -out "$scratch/ca.pem"
    issue server 'subjectAltName=IP:127.0.0.1
extendedKeyUsage=serverAuth'
    issue client 'subjectAltName=URI:spiffe://bench/client
extendedKeyUsage=clientAuth'
    mtls=(--listen https://127.0.0.1:0 --tls-cert-file "$scratch/server.pem" --tls-key-file "$scratch/server.key"
      --tls-client-ca-file "$scratch/ca.pem")
  else
    say 'skipped: mtls: this agent has no --tls-client-ca-file'
    paths=${paths/ mtls / }
  fi
fi
unix=unix://$scratch/agent.sock

# ---- measuring ----

# took KEY COMMAND…: the seconds of a whole process, its output to /dev/null or where it is redirected.
took() {
  local key=$1 from=$EPOCHREALTIME
  shift
  "$@"
  echo "$key $(((${EPOCHREALTIME/./} - ${from/./})))" | awk '{ print $1, $2, $3 / 1e6 }' >>"$scratch/times"
}

# scanned KEY ADDRESS MAP: the seconds of a scan inside of a client that is up.
scanned() { echo "$1 $(bpfremote-load scan "$2" "$pins/$3" 1 | cut -d ' ' -f 2)" >>"$scratch/times"; }

# measure_path MAP PATH: once.
measure_path() {
  local map=$1 pin=$pins/$1
  case $2 in
    batch | element) echo "$1 $2 $(read-map "$2" "$pin" | cut -d ' ' -f 2)" >>"$scratch/times" ;;
    bpftool) took "$map bpftool" bpftool -j map dump pinned "$pin" >"$out" ;;
    unix) scanned "$map unix" "$unix" "$map" ;;
    tcp) scanned "$map tcp" "$tcp" "$map" ;;
    mtls)
      BPFREMOTE_TLS_CERT_FILE=$scratch/client.pem BPFREMOTE_TLS_KEY_FILE=$scratch/client.key BPFREMOTE_TLS_CA_FILE=$scratch/ca.pem \
        scanned "$map mtls" "$tls" "$map"
      ;;
    jit) scanned "$map jit" "unix://$scratch/agent-jit.sock" "$map" ;;
    raw) took "$map raw" bpfremote -o raw --address "$tcp" --plaintext map dump pinned "$pin" --pace full >/dev/null ;;
    ndjson) took "$map ndjson" bpfremote -o ndjson --address "$unix" map dump pinned "$pin" --pace full >"$out" ;;
    json) took "$map json" bpfremote -j --address "$unix" map dump pinned "$pin" --pace full >"$out" ;;
  esac
  : >"$out"
}

# keep NAME VALUE UNIT [BAR]: a line of the table that is no path.
keep() { printf '%s|%s|%s|%s\n' "$1" "$2" "$3" "${4:-}" >>"$scratch/measures"; }

processes() { echo "$1"; cat "/proc/$1/task/$1/children"; }

# in_status FIELD PID…: the sum of a field of their /proc/PID/status, in MB.
in_status() {
  local field=$1
  shift
  cat $(printf '/proc/%s/status ' "$@") | awk -v field="$field:" '$1 == field { sum += $2 } END { printf "%.0f\n", sum / 1024 }'
}

# cpu_ticks PID…: what they have used so far, in hundredths of a second.
cpu_ticks() { cat $(printf '/proc/%s/stat ' "$@") | awk '{ sum += $14 + $15 } END { print sum }'; }

# middle: the median of the numbers on standard input.
middle() { sort -g | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# again COMMAND…: the median of what it prints, a number each time.
again() {
  local i
  for ((i = 0; i < runs; i++)); do "$@"; done | middle
}

per_scan() { awk -v all="$1" -v scans="$2" 'BEGIN { print all / scans }'; }

# The agent's CPU seconds for a scan over its unix socket; the client makes one scan more than it counts.
agent_cpu() {
  local pids before
  pids=$(processes "$agent_pid")
  before=$(cpu_ticks $pids)
  bpfremote-load scan "$unix" "$pins/hash" 9 >/dev/null
  per_scan $(($(cpu_ticks $pids) - before)) 1000
}

native_cpu() { read-map batch "$pins/hash" 10 | awk '{ sum += $3 } END { print sum / NR }'; }

measure_agent() {
  case $1 in
    cpu)
      local i agent_seconds=() native_seconds=()
      for ((i = 0; i < runs; i++)); do
        native_seconds+=("$(native_cpu)")
        agent_seconds+=("$(agent_cpu)")
      done
      local of_agent of_native
      of_agent=$(printf '%s\n' "${agent_seconds[@]}" | middle) of_native=$(printf '%s\n' "${native_seconds[@]}" | middle)
      keep 'native loop: CPU a million entries' "$of_native" s
      keep 'agent: CPU a million entries' "$of_agent" s
      keep 'agent: CPU a million entries, × native' "$(per_scan "$of_agent" "$of_native")" × '≤ 1.3'
      ;;
    memory)
      run_agent agent-memory "$aot"
      local pids
      pids=$(processes "$agent_pid")
      bpfremote --address "unix://$scratch/agent-memory.sock" node show >/dev/null
      keep 'agent: resident, idle' "$(in_status VmRSS $pids)" MB '≤ 60'
      bpfremote-load scans "unix://$scratch/agent-memory.sock" "$pins/hash" 64 32 >/dev/null
      keep 'agent: resident, peak with 32 scans at once' "$(in_status VmHWM $pids)" MB '≤ 110'
      ;;
    endurance)
      run_agent agent-endurance "$aot"
      local pids before
      pids=$(processes "$agent_pid")
      bpfremote-load scan "unix://$scratch/agent-endurance.sock" "$pins/hash" 100 >/dev/null
      before=$(in_status VmRSS $pids)
      bpfremote-load scan "unix://$scratch/agent-endurance.sock" "$pins/hash" 1000 >/dev/null
      keep 'agent: resident after 100 scans' "$before" MB
      keep 'agent: resident after 1,000 more' "$(in_status VmRSS $pids)" MB flat
      ;;
    allocations)
      keep 'agent: managed allocation a scan of a million' \
        "$("$repository/tests/BpfRemote.Benchmarks/bin/Release/net10.0/BpfRemote.Benchmarks" allocations "$pins/hash" "$scratch/bin/bpfremote-load" \
          | tail -n 1 | awk '{ printf "%.2f\n", $1 / 1e6 }')" MB '≤ 2'
      ;;
    start)
      keep 'agent: exec to first answer' "$(again bpfremote-load start "unix://$scratch/agent-start.sock" "$aot" \
        --listen "unix://$scratch/agent-start.sock" --runtime-dir "$scratch/agent-start.run")" ms '≤ 200'
      ;;
    pages)
      local i
      for ((i = 0; i < runs; i++)); do bpfremote-load pages "$unix" "$pins/hash" 5000; done >"$scratch/pages"
      keep 'page of 100 by token, p50' "$(cut -d ' ' -f 1 "$scratch/pages" | middle)" ms '≤ 0.5'
      keep 'page of 100 by token, p99' "$(cut -d ' ' -f 2 "$scratch/pages" | middle)" ms '≤ 3'
      ;;
    pagers)
      # A page each 50 ms, as a dashboard may ask: all together stay below the share of a CPU that gentle scans may take.
      for ((i = 0; i < runs; i++)); do bpfremote-load pages-beside-scan "$unix" "$pins/hash10m" 100 16 50; done >"$scratch/pages"
      keep '16 pagers beside a gentle scan of 10 million, p99' "$(cut -d ' ' -f 2 "$scratch/pages" | middle)" ms '≤ 10'
      ;;
  esac
}

# ---- the run ----

run_agent agent "$aot" --listen http://127.0.0.1:0 --plaintext "${mtls[@]}"
listening() { sed -n "s|.*Listening on \($1://[^ ]*\): agent.*|\1|p" "$scratch/agent.log"; }
if wants "$paths" jit; then
  run_agent agent-jit "$scratch/jit/bpfremote-agent"
fi
agent_pid=${started[0]}

for map in $maps; do
  need_map "$map"
done
tcp=$(listening http) tls=$(listening https)
[ -z "$agent" ] || need_map hash
! wants "$agent" pagers || need_map hash10m

for ((run = 1; run <= runs; run++)); do
  for map in $maps; do
    say "run $run of $runs: $map"
    for path in $all_paths; do
      ! wants "$paths" "$path" || measure_path "$map" "$path"
    done
  done
done
for one in $agent; do
  say "$one"
  measure_agent "$one"
done

printf '%s, %s CPUs, %s, Linux %s: medians of %d\n\n' \
  "$(date +%F)" "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)" "$runs"
awk -v maps="$maps" -v paths="$all_paths" '
  BEGIN {
    name["batch"] = "native batch loop, C"; name["element"] = "native per-element loop, C"
    name["bpftool"] = "bpftool -j map dump, to a file"; name["unix"] = "client, unix socket"; name["tcp"] = "client, loopback TCP"
    name["mtls"] = "client, mTLS over loopback"; name["jit"] = "client, unix socket, JIT agent"
    name["raw"] = "bpfremote -o raw, TCP, to /dev/null"; name["ndjson"] = "bpfremote -o ndjson, to a file"
    name["json"] = "bpfremote -j, to a file"
    print "| map | read by | seconds | × native batch loop | × bpftool |"
    print "| --- | --- | --- | --- | --- |"
  }
  { key = $1 " " $2; all[key, ++count[key]] = $3 }
  function median(key,    i, j, swap) {
    for (i = 1; i <= count[key]; i++)
      for (j = i + 1; j <= count[key]; j++)
        if (all[key, j] < all[key, i]) { swap = all[key, i]; all[key, i] = all[key, j]; all[key, j] = swap }
    return all[key, int((count[key] + 1) / 2)]
  }
  END {
    of_maps = split(maps, map, " "); of_paths = split(paths, path, " ")
    for (m = 1; m <= of_maps; m++)
      for (p = 1; p <= of_paths; p++) {
        key = map[m] " " path[p]
        if (!(key in count)) continue
        seconds = median(key); native = median(map[m] " batch")
        tool = (map[m] " bpftool") in count ? sprintf("%.1f", median(map[m] " bpftool") / seconds) : ""
        printf "| %s | %s | %.4f | %.2f | %s |\n", map[m], name[path[p]], seconds, native / seconds, tool
      }
  }' "$scratch/times"
if [ -s "$scratch/measures" ]; then
  awk -F '|' '{ printf "| | %s | %s %s | %s | |\n", $1, $2, $3, $4 }' "$scratch/measures"
fi
