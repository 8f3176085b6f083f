#!/usr/bin/env bash
# Builds the solution and runs all its tests; arguments go to `dotnet test`, such as --project or --filter-class.
# The last line is the sum: "N passed, N failed, N skipped". Without root the tests that need it skip.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$repository/deploy/prerequisites.sh"

need_sdk
export DOTNET_CLI_UI_LANGUAGE=en # the summary is read below
apt_install libbpf1 bpftool bpftrace libbpf-tools strace clang || true
for command in node npm; do
  command -v $command >/dev/null || apt_install nodejs npm || true
done
! is_root || need_bpffs

cd "$repository"
echo 'Building ...'
quietly dotnet build BpfRemote.sln --verbosity quiet --nologo

target=(--solution BpfRemote.sln)
for argument in "$@"; do
  case $argument in
    --project | --solution | --test-modules) target=() ;;
    --filter*) target+=(--ignore-exit-code 8) ;; # the filter may leave a project without a test
  esac
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
dotnet test "${target[@]}" --no-build "$@" </dev/null | tee "$log" || status=$?

# total NAME: the number after "NAME:" in the summary that closes the run; nothing where the run was cut short.
total() { sed -n '/^Test run summary:/,$ s/^ *'"$1"': *\([0-9][0-9]*\).*/\1/p' "$log" | tail -n 1; }
passed=$(total succeeded) failed=$(total failed) skipped=$(total skipped)
if [ -z "$passed" ] || { [ $status -ne 0 ] && [ "$failed" -eq 0 ]; } || [ $((passed + failed)) -eq 0 ]; then
  echo "dotnet test ended with $status and no failed test to show for it: counted as one failure" >&2
  failed=$((${failed:-0} + 1)) status=1
fi
echo "${passed:-0} passed, $failed failed, ${skipped:-0} skipped"
exit $((status != 0))
