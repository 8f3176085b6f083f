#!/usr/bin/env bash
# Builds BpfRemote, makes a few eBPF maps on this machine and pages through them over gRPC.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$repository/deploy/prerequisites.sh"
. "$repository/deploy/programs.sh"

usage() {
  cat <<'USAGE'
Usage: deploy/quickstart.sh [--once]

Builds BpfRemote, starts bpfremote-demo-maps and a bpfremote-agent of its own, and shows the maps through bpfremote.
Then it stays up for you to try, until Ctrl-C. All that it started and made goes when it ends.

  --once    show, clean up and exit
USAGE
}

once=false
for argument in "$@"; do
  case $argument in
    --once) once=true ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
done

build() {
  need_sdk
  echo 'Building BpfRemote (the first time takes a minute or two) ...'
  quietly dotnet build "$repository/deploy/quickstart.slnf" --configuration Release --verbosity quiet --nologo
  DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
  export DOTNET_ROOT
}

# A user other than root builds as that user, so that the clone stays theirs, and goes on with sudo.
if ! is_root; then
  command -v sudo >/dev/null || fail 'making and reading eBPF maps takes root: run this as root'
  build
  echo 'Making and reading eBPF maps takes root: going on with sudo.'
  exec sudo DOTNET_ROOT="$DOTNET_ROOT" BPFREMOTE_BUILT=yes bash "$repository/deploy/quickstart.sh" "$@"
fi

[ -n "${BPFREMOTE_BUILT:-}" ] || build
need_libbpf
need_bpffs

scratch=$(mktemp -d /tmp/bpfremote-XXXXXX)
pins=/sys/fs/bpf/${scratch##*/}

clean_up() {
  trap '' EXIT INT TERM HUP
  stop_all
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir "$scratch/bin"
for program in DemoMaps:bpfremote-demo-maps Agent:bpfremote-agent Cli:bpfremote; do
  ln -s "$repository/src/BpfRemote.${program%:*}/bin/Release/net10.0/${program#*:}" "$scratch/bin/"
done
export PATH="$scratch/bin:$PATH"
export BPFREMOTE_ADDRESS="unix://$scratch/agent.sock"

# show COMMAND…: the command as one would type it, then what it really prints.
show() {
  local word shown=
  for word in "$@"; do
    [ ${#word} -le 60 ] || word="${word:0:20}..." # a continuation token
    shown+=" $word"
  done
  printf '\n%s$%s%s\n' "${bold}" "$shown" "${plain}"
  "$@"
}
bold= plain=
[ ! -t 1 ] || bold=$'\e[1m' plain=$'\e[0m'

# page ARGUMENT…: a page of the connections; it leaves what was said on stderr, the token in it, in a file.
page() {
  local status=0
  show bpfremote map dump pinned "$pins/conn_table" --limit 3 "$@" 2>"$scratch/stderr" || status=$?
  cat "$scratch/stderr" >&2
  return $status
}

# The agent's server, which talks to clients, is a user without privilege: that user passes through here, and to the program.
chmod 711 "$scratch"
server=$(id -un bpfremote 2>/dev/null || echo nobody)
lockdown=()
if ! setpriv --reuid="$server" --clear-groups bpfremote-agent --version >/dev/null 2>&1; then
  echo "User $server cannot run programs in $repository: the agent stays one process, with --no-lockdown."
  lockdown=(--no-lockdown)
fi

start '^ready$' bpfremote-demo-maps --pin-dir "$pins"
start 'Listening on' bpfremote-agent --listen "$BPFREMOTE_ADDRESS" --runtime-dir "$scratch/run" "${lockdown[@]}"

show bpfremote node show
show bpfremote map list
page
token=$(sed -n 's/.*--resume //p' "$scratch/stderr")
page --resume "$token"
show bpfremote map lookup pinned "$pins/routes" key prefixlen=32 addr=10.0.7.99
show bpfremote map count pinned "$pins/conn_table"

if $once; then
  exit
fi

cat <<TRY

All of this went over gRPC, and the agent stays up. In another terminal, as root:

  export PATH=$scratch/bin:\$PATH BPFREMOTE_ADDRESS=$BPFREMOTE_ADDRESS
  bpfremote -p map dump pinned $pins/cpu_counters
  bpfremote -f map list
  bpfremote map dump --help

Ctrl-C here ends it and removes the maps.
TRY
wait
