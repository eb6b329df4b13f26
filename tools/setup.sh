#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian packages: tells what is missing and installs it.
#   tools/setup.sh list SET...     one line per missing package on stdout; exit 1 when something is missing
#   tools/setup.sh command SET...  the one line that would install what is missing ("" = nothing is); on a second line
#                                  how much that would fetch, where apt can tell
#   tools/setup.sh install SET...  installs what is missing (NO_INSTALL=1: prints the line and fails)
# sudo is used only when it asks for no password or there is a terminal to ask on.
set -u
here=$(cd "$(dirname "$0")" && pwd)
table=$here/packages.txt

have() {
    dpkg-query -W -f='${Status}\n' "$1" 2>/dev/null | grep -q 'install ok installed'
}

# A new machine has no package lists yet: they are read into a folder of our own, so that telling what is missing changes
# nothing on the machine.
own=
read_lists() {
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && return
    own=$(mktemp -d)
    trap 'rm -rf "$own"' EXIT
    mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
    chmod 755 "$own"
    printf 'Dir::State::Lists "%s/lists";\nDir::Cache "%s/cache";\nAPT::Sandbox::User "root";\nDebug::NoLocking "true";\nAPT::Update::Post-Invoke-Success "";\n' \
        "$own" "$own" >"$own/apt.conf"
    APT_CONFIG=$own/apt.conf apt-get update >/dev/null 2>&1 && export APT_CONFIG=$own/apt.conf
}

# How much apt would fetch for these packages, as people write it; nothing when it cannot tell.
download_size() {
    apt-get install --print-uris -y --no-install-recommends -o Debug::NoLocking=true "$@" 2>/dev/null |
        awk -F"' " "/^'/ { split(\$2, a, \" \"); n += a[2] } END { if (n >= 1e6) printf \"%.0f MB\\n\", n / 1e6; else if (n) printf \"%.0f kB\\n\", n / 1e3 }"
}

offered() {
    apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

# missing SET...: "name<TAB>what for" per missing line of the table.
missing() {
    local sets=" $* " names in why s one hit pick
    while read -r names in why; do
        case $names in '' | '#'*) continue ;; esac
        hit=
        for s in ${in//,/ }; do
            case $sets in *" $s "*) hit=1 ;; esac
        done
        [ -n "$hit" ] || continue
        pick=
        for one in ${names//|/ }; do
            if have "$one"; then pick=have; break; fi
        done
        [ "$pick" = have ] && continue
        for one in ${names//|/ }; do
            if offered "$one"; then pick=$one; break; fi
        done
        printf '%s\t%s\n' "${pick:-${names%%|*}}" "$why"
    done < "$table"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ] && command -v sudo >/dev/null; }; then
        sudo "$@"
    else
        return 126
    fi
}

prefix() {
    [ "$(id -u)" = 0 ] || printf 'sudo '
}

verb=${1:?list, command or install}
shift
sets=("$@")
if ! command -v dpkg-query >/dev/null; then
    # Not a Debian: the compiler and the linker will name what they do not find.
    [ "$verb" = install ] && echo "no dpkg here: the packages of tools/packages.txt are expected to be installed" >&2
    exit 0
fi
gone=$(missing "$@")
if [ -n "$gone" ] && [ "$verb" = command ]; then
    read_lists
    gone=$(missing "$@") # of alternatives the one that this machine's distribution has
fi
line=
[ -n "$gone" ] && line="$(prefix)apt-get install -y --no-install-recommends $(cut -f1 <<<"$gone" | tr '\n' ' ' | sed 's/ $//')"

case $verb in
list)
    [ -z "$gone" ] && exit 0
    while IFS=$'\t' read -r name why; do printf 'missing package: %-26s %s\n' "$name" "$why"; done <<<"$gone"
    exit 1
    ;;
command)
    [ -z "$line" ] && exit 0
    printf '%s\n' "$line"
    # shellcheck disable=SC2046
    download_size $(cut -f1 <<<"$gone")
    ;;
install)
    [ -z "$gone" ] && exit 0
    if [ "${NO_INSTALL:-0}" = 1 ]; then
        printf 'NO_INSTALL=1: nothing was installed. Run:\n  %s\n' "$line" >&2
        exit 1
    fi
    # shellcheck disable=SC2046
    set -- $(cut -f1 <<<"$gone")
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$log" 2>&1; }
    get install -y --no-install-recommends "$@"
    rc=$?
    if [ $rc -ne 0 ] && [ $rc -ne 126 ]; then
        # The lists may be old, or not there at all: then it was not known either which of the alternatives there is.
        get update
        gone=$(missing "${sets[@]}")
        # shellcheck disable=SC2046
        get install -y --no-install-recommends $(cut -f1 <<<"$gone")
        rc=$?
        line="$(prefix)apt-get install -y --no-install-recommends $(cut -f1 <<<"$gone" | tr '\n' ' ' | sed 's/ $//')"
    fi
    if [ $rc -eq 126 ]; then
        why='sudo would ask for a password and there is no terminal'
        command -v sudo >/dev/null || why='only root can install packages, and there is no sudo here'
        printf '%s. Run:\n  %s\n' "$why" "$line" >&2
        exit 1
    elif [ $rc -ne 0 ]; then
        tail -n 8 "$log" >&2
        printf 'apt-get failed. Run:\n  %s\n' "$line" >&2
        exit 1
    fi
    ;;
*)
    echo "usage: tools/setup.sh list|command|install SET..." >&2
    exit 2
    ;;
esac
