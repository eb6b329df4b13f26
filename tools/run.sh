#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make run`: from a bare machine to the rows of examples/quickstart.sql, in session and in application mode.
# Says first what it will fetch and how large it is; leaves nothing running and checks that before it says so.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
MAKE=${MAKE:-make}
sluice=$BUILD/sluice
flink_home=${XDG_DATA_HOME:-$HOME/.local/share}/sluice
tilde_home=${flink_home/#$HOME\//\~/}

now() { echo $((${EPOCHREALTIME/[.,]/} / 100000)); } # tenths of a second
took() {
    local t=$(($(now) - $1))
    if [ $t -ge 100 ]; then echo "$(((t + 5) / 10)) s"; else echo "$((t / 10)).$((t % 10)) s"; fi
}
step() { printf '%-54s %9s\n' "$1" "$2"; }
line() { if [ -n "$3" ]; then printf ' %-9s %-43s %9s\n' "$1" "$2" "$3"; else printf ' %-9s %s\n' "$1" "$2"; fi; }
count() { if [ "$1" = 1 ]; then echo "$1 $2"; else echo "$1 ${2}s"; fi; }
die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# 1. What is needed, and how large it is.
{
    read -r command
    read -r size
} < <(tools/setup.sh command build run)
flink=
if [ -x "$sluice" ]; then
    "$sluice" flink ls 2>/dev/null | grep -q '^[* ]*2\.2\.' && flink=here
elif compgen -G "$flink_home/flink/2.2.*/lib" >/dev/null; then
    flink=here
fi
if [ -n "$command" ] || [ -z "$flink" ]; then
    echo "Sluice needs, once:"
    if [ -n "$command" ]; then
        names=${command#*--no-install-recommends }
        size=${size:+($size to download)}
        echo "$names ${size// /@}" | fold -s -w 84 | sed 's/ *$//; s/@/ /g; 1s/^/  packages   /; 1!s/^/             /'
        echo "             $command"
        echo "             (NO_INSTALL=1 make run prints this and stops)"
    fi
    [ -z "$flink" ] && echo "  Flink      2.2.1, 312 MB from PyPI, kept in $tilde_home"
fi
if [ -n "$command" ]; then
    if [ "${NO_INSTALL:-0}" = 1 ]; then
        tools/setup.sh list build run
        exit 1
    fi
    t=$(now)
    tools/setup.sh install build run || exit 1
    step "[1/4] packages" "$(took "$t")"
else
    step "[1/4] packages" "all here"
fi

# 2. Build.
t=$(now)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "$MAKE" --no-print-directory BUILD="$BUILD" -j"$(nproc)" all >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die "[2/4] build failed"
fi
step "[2/4] build   $sluice, sluice-runner.jar" "$(took "$t")"

# 3. Flink. Nothing of it runs in the folder of this run's data, which is removed at the end.
t=$(now)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/sluice-run.XXXXXX")
export SLUICE_DATA=$tmp/data
# Processes started here carry SLUICE_DATA in their environment; ports are what they listen on.
ours() {
    local p
    for p in /proc/[0-9]*; do
        [ "${p#/proc/}" = $$ ] && continue
        { tr '\0' '\n' <"$p/environ"; } 2>/dev/null | grep -qxF "SLUICE_DATA=$SLUICE_DATA" || continue
        case $({ tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null) in
        *java* | *sluice*supervise* | *sluice*owner* | *sluice*serve*) echo "${p#/proc/}" ;;
        esac
    done
}
inodes() {
    local pid fd
    for pid in "$@"; do
        for fd in /proc/"$pid"/fd/*; do readlink "$fd" 2>/dev/null; done
    done | sed -n 's/^socket:\[\(.*\)\]$/\1/p'
}
# Listening TCP ports of the given processes, in hexadecimal as /proc/net/tcp writes them.
listening() {
    local want
    want=" $(inodes "$@" | tr '\n' ' ')"
    awk -v want="$want" '$4 == "0A" && index(want, " " $10 " ") { split($2, a, ":"); print a[length(a)] }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
finish() {
    "$sluice" owner stop >/dev/null 2>&1
    rm -rf "$tmp" "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM
if [ "$flink" = here ]; then
    step "[3/4] Flink   2.2 is installed" "all here"
else
    "$sluice" flink install || die "[3/4] Flink could not be installed; make run goes on from there"
    step "[3/4] Flink   downloaded, verified, prepared" "$(took "$t")"
fi

# 4. The quickstart, twice.
echo "[4/4] examples/quickstart.sql"
echo
rm -rf /tmp/sluice-quickstart 2>/dev/null
[ ! -e /tmp/sluice-quickstart ] || die "/tmp/sluice-quickstart is another user's; the quickstart writes there" "  sudo rm -rf /tmp/sluice-quickstart"
"$sluice" run examples/quickstart.sql -o table </dev/null | tee "$tmp/first"
rc=${PIPESTATUS[0]}
[ "$rc" = 0 ] || die "examples/quickstart.sql failed in session mode (exit $rc)"
echo
files=$(find /tmp/sluice-quickstart/revenue -type f ! -name '.*' 2>/dev/null)
[ -n "$files" ] || die "the quickstart wrote no file to /tmp/sluice-quickstart/revenue"
lines=$(xargs -d '\n' cat <<<"$files" | wc -l)
line files "/tmp/sluice-quickstart/revenue: $(count "$(wc -l <<<"$files")" file), $(count "$lines" line)" ""

t=$(now)
"$sluice" run examples/quickstart.sql --mode application -o table >"$tmp/again" 2>"$tmp/again.err" </dev/null
rc=$?
if [ "$rc" != 0 ]; then
    cat "$tmp/again.err" >&2
    die "examples/quickstart.sql failed in application mode (exit $rc)"
fi
if ! diff "$tmp/first" "$tmp/again" >&2; then
    die "application mode gave other rows than session mode"
fi
line again "application mode: finished, same $(count "$(grep -c '|' "$tmp/again" | awk '{print $1 - 1}')" row)" "$(took "$t")"

# 5. Nothing is left running: the processes and the ports are looked at, not taken for granted.
before=$(ours)
# shellcheck disable=SC2086
ports=$(listening $before | sort -u)
"$sluice" owner stop >"$tmp/stop" 2>&1 || { cat "$tmp/stop" >&2; die "the local Flink could not be stopped"; }
for _ in $(seq 100); do
    left=$(ours)
    [ -z "$left" ] && break
    sleep 0.1
done
if [ -n "$left" ]; then
    for pid in $left; do echo "still running: $pid $(tr '\0' ' ' </proc/"$pid"/cmdline | cut -c1-120)" >&2; done
    exit 1
fi
open=$(awk '$4 == "0A" { split($2, a, ":"); print a[length(a)] }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
for port in $ports; do
    grep -qx "$port" <<<"$open" && die "port $((16#$port)) is still open"
done
line stopped "local Flink; nothing is left running" ""
cat <<END

Next:  $sluice run examples/live.sql     rows as they come, Ctrl-C ends it
       $sluice run YOUR.sql
END
