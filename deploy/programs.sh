# Sourced by deploy/quickstart.sh and .ci/run: programs that run in the background until the script ends.

started=()

# start LINE PROGRAM ARGUMENT…: runs the program, and returns when it has said LINE. Its output goes to $scratch.
start() {
  local line=$1 log="$scratch/${2##*/}.log"
  shift
  "$@" >"$log" 2>&1 </dev/null &
  started+=($!)
  grep -q "$line" < <(exec timeout 60 tail -n +1 -f --pid=$! "$log" 2>/dev/null) || fail "$1 did not start: $(cat "$log")"
}

# Ends what was started, and waits until it has cleaned up after itself.
stop_all() {
  local pid
  for pid in "${started[@]}"; do
    kill -TERM "$pid" 2>/dev/null && wait "$pid" || true
  done
}
