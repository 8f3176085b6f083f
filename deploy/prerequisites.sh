# Sourced by deploy/quickstart.sh, tests/run.sh and .ci/run: what a fresh machine lacks is installed where apt and root
# are there to do it, and named where they are not.

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# apt_install PACKAGE…: those of the packages that this distribution has and this machine lacks.
apt_install() {
  command -v apt-get >/dev/null && is_root || return 1
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  apt-cache show "${missing[@]}" >/dev/null 2>&1 || quietly apt-get -q update
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 || { echo "no package $package in this distribution" >&2; continue; }
    echo "installing $package"
    DEBIAN_FRONTEND=noninteractive quietly apt-get -q -y install --no-install-recommends "$package"
  done
}

# quietly COMMAND…: its output shows only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ $status -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return $status
}

# The SDK that global.json asks for; where none is installed, the distribution's.
need_sdk() {
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  command -v dotnet >/dev/null || PATH="$PATH:$HOME/.dotnet"
  (cd "$repository" && dotnet --version) >/dev/null 2>&1 && return
  apt_install dotnet-sdk-10.0 || true
  (cd "$repository" && dotnet --version) >/dev/null 2>&1 || fail "the .NET 10 SDK is not on this machine. Get it from
https://dotnet.microsoft.com/download/dotnet/10.0, or without root:
  curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

need_libbpf() {
  has_libbpf || apt_install libbpf1 || true
  has_libbpf || fail "libbpf.so.1 is not on this machine. Install it:
  Debian, Ubuntu: apt-get install libbpf1      Fedora: dnf install libbpf      Alpine: apk add libbpf"
}

has_libbpf() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q 'libbpf\.so\.1 '; }

need_bpffs() {
  grep -q '^[^ ]* /sys/fs/bpf bpf ' /proc/mounts && return
  mount -t bpf bpffs /sys/fs/bpf || fail "no bpffs at /sys/fs/bpf, and mounting one failed: is this kernel built with CONFIG_BPF_SYSCALL?"
}
