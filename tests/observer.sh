#!/usr/bin/env bash
# What scans cost the eBPF programs of a node: the part of its runs that a program keeps while a full map of a million entries
# is read, at the gentle pace and at full pace, for a perf_event, a tracepoint, a kprobe and an XDP program. Prints one table; takes a minute, and root.
#
# What the programs wait for comes a thousand times a second by interrupt, on the CPU to which the agent is bound: that is the worst
# case. Each number is runs for each time that the program should have run, against the same without a scan just before.
#
#   tests/observer.sh                    builds the agent and the client
#   AGENT=… CLIENT=… tests/observer.sh   measures these instead, such as published ones
#   ROUNDS=7 SECONDS_EACH=1              how often and how long; the table has medians
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$repository/deploy/prerequisites.sh"
rounds=${ROUNDS:-5} each=${SECONDS_EACH:-1}

is_root || fail "making maps and loading programs takes root"
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
apt_install clang llvm libbpf1 libbpf-dev bpftool iproute2 util-linux gcc libc6-dev linux-libc-dev || true
for command in clang gcc bpftool ip taskset; do
  command -v $command >/dev/null || fail "$command is not on this machine"
done
need_libbpf
need_bpffs
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || true # tracepoints are named there
if [ -z "${AGENT:-}" ] || [ -z "${CLIENT:-}" ]; then
  need_sdk
  for project in Agent Cli; do
    quietly dotnet build "$repository/src/BpfRemote.$project" --configuration Release --verbosity quiet --nologo
  done
  AGENT=${AGENT:-$repository/src/BpfRemote.Agent/bin/Release/net10.0/bpfremote-agent}
  CLIENT=${CLIENT:-$repository/src/BpfRemote.Cli/bin/Release/net10.0/bpfremote}
fi

directory=$(mktemp -d) pins=/sys/fs/bpf/bpfremote-observer-$$
chmod 711 "$directory"
agent='' scanner=''
finish() {
  [ -z "$scanner" ] || kill "$scanner" 2>/dev/null || true
  [ -z "$agent" ] || kill "$agent" 2>/dev/null || true
  wait 2>/dev/null || true
  ip link delete bpfremote0 2>/dev/null || true
  rm -rf "$directory" "$pins"
}
trap finish EXIT
mkdir "$pins"

# The last CPU: the first gets most interrupts.
cpu=$(($(nproc) - 1))
machine=$(gcc -dumpmachine)
case $machine in
  x86_64-*) target=(-D__TARGET_ARCH_x86 -D__x86_64__) ;;
  aarch64-*) target=(-D__TARGET_ARCH_arm64) ;;
  *) fail "the registers of $machine are not known here" ;;
esac
quietly clang -O2 -g -target bpf "${target[@]}" -I"/usr/include/$machine" -c "$repository/tests/native/observed.bpf.c" -o "$directory/observed.bpf.o"
quietly gcc -O2 -Wall -o "$directory/observer" "$repository/tests/native/observer.c" -lbpf

# Frames that go in at one end are steered to the CPU at the other.
ip link add bpfremote0 type veth peer name bpfremote1
for device in bpfremote0 bpfremote1; do
  sysctl -q -w "net.ipv6.conf.$device.disable_ipv6=1" 2>/dev/null || true
  ip link set $device up
done
printf '%x' $((1 << cpu)) >/sys/class/net/bpfremote1/queues/rx-0/rps_cpus

"$directory/observer" maps "$pins"
"$AGENT" --listen "unix://$directory/agent.sock" --runtime-dir "$directory/run" >"$directory/agent.log" 2>&1 &
agent=$!
until grep -q 'Listening on' "$directory/agent.log"; do
  kill -0 $agent 2>/dev/null || { cat "$directory/agent.log" >&2; fail "the agent did not start"; }
  sleep 0.1
done
server=$(cat "/proc/$agent/task/$agent/children")
for process in $agent $server; do quietly taskset -a -p -c "$cpu" "$process"; done

# scan PACE: again and again, until it is killed.
scan() {
  while true; do
    "$CLIENT" --address "unix://$directory/agent.sock" map count pinned "$pins/full" --pace "$1" >/dev/null 2>>"$directory/scan.log"
  done
}

median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.3f", v[int((NR + 1) / 2)] }'; }

printf '| program | gentle | full pace |\n| --- | --- | --- |\n'
for program in perf_event tracepoint kprobe xdp; do
  if [ $program = kprobe ] && [ ! -e /sys/bus/event_source/devices/kprobe ]; then
    echo "| kprobe | this kernel has none | |"
    continue
  fi
  row="| $program |"
  for pace in gentle full; do
    kept=$(for _ in $(seq "$rounds"); do
      before=$("$directory/observer" "$program" "$directory/observed.bpf.o" "$cpu" "$each")
      scan $pace &
      scanner=$!
      during=$("$directory/observer" "$program" "$directory/observed.bpf.o" "$cpu" "$each")
      kill $scanner
      wait $scanner 2>/dev/null || true
      awk -v before="$before" -v during="$during" 'BEGIN { print during / before }'
    done | median)
    row="$row $kept |"
  done
  echo "$row"
done
