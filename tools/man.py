#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Man pages and shell completions from what the binary says of itself: `sluice --help` lists the verbs, `sluice VERB --help`
their options. One source, so that help, pages and completions cannot differ."""
import argparse
import os
import re
import subprocess
import sys
import time


def help_of(binary, *words):
    return subprocess.run([binary, *words, "--help"], capture_output=True, text=True, check=True).stdout


def verbs_of(binary):
    """[(verb, summary)] in the order of the help."""
    return re.findall(r"^  ([a-z][a-z-]*) {2,}(\S.*)$", help_of(binary), re.M)


def options_of(text):
    """Long and short options of a help text, each once, in order: [(options, description)]."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s+((?:-\w(?: [A-Z][\w=:|.]*)?, )?--[a-z][\w-]*|-\w)\b(.*)$", line)
        if match:
            options = re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", line.split("  ")[0] if "  " in line.strip() else line)
            names = re.findall(r"--[a-z][\w-]*|(?<![\w-])-\w\b", re.split(r"\s{2,}", line.strip())[0])
            parts = re.split(r"\s{2,}", line.strip(), maxsplit=1)
            found.append((names or options, parts[1] if len(parts) > 1 else ""))
    for name in re.findall(r"(?<![\w-])--[a-z][\w-]*", text):
        if not any(name in names for names, _ in found):
            found.append(([name], ""))
    return found


def words_of(text):
    """Second words such as `job ls|show`: from the usage lines."""
    match = re.search(r"^usage: sluice \S+ ([a-z]+(?:\|[a-z]+)+)", text, re.M)
    return match[1].split("|") if match else []


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def page(name, summary, body, see, version, epoch):
    date = time.strftime("%Y-%m-%d", time.gmtime(epoch))
    return (f'.TH "{name.upper()}" 1 "{date}" "sluice {version}" "Sluice"\n.SH NAME\n{roff(name)} \\- {roff(summary)}\n'
            f".SH DESCRIPTION\n.nf\n{roff(body.rstrip())}\n.fi\n"
            + (".SH SEE ALSO\n" + ", ".join(f"\\fB{roff(s)}\\fR(1)" for s in see) + "\n" if see else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--man")
    parser.add_argument("--completions")
    parser.add_argument("--version", default="")
    parser.add_argument("--epoch", type=int, default=0)
    args = parser.parse_args()
    verbs = verbs_of(args.sluice)
    if not verbs:
        sys.exit("man.py: `sluice --help` names no verbs")
    texts = {verb: help_of(args.sluice, verb) for verb, _ in verbs}
    if args.man:
        os.makedirs(args.man, exist_ok=True)
        pages = {"sluice": page("sluice", "run SQL on Apache Flink", help_of(args.sluice), [f"sluice-{v}" for v, _ in verbs], args.version, args.epoch)}
        for verb, summary in verbs:
            pages[f"sluice-{verb}"] = page(f"sluice-{verb}", summary, texts[verb], ["sluice"], args.version, args.epoch)
        for name, text in pages.items():
            with open(os.path.join(args.man, f"{name}.1"), "w", encoding="utf-8") as f:
                f.write(text)
    if args.completions:
        os.makedirs(args.completions, exist_ok=True)
        write_completions(args.completions, verbs, texts)


def write_completions(folder, verbs, texts):
    names = " ".join(v for v, _ in verbs)
    bash = ["# bash completion of sluice", "_sluice() {", "    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words=", "    COMPREPLY=()",
            "    if [ \"$COMP_CWORD\" = 1 ]; then", f"        mapfile -t COMPREPLY < <(compgen -W '{names} --help --version' -- \"$word\")", "        return", "    fi", "    case $verb in"]
    zsh = ["#compdef sluice", "_sluice() {", "    local -a verbs", "    verbs=("]
    fish = ["complete -c sluice -n __fish_use_subcommand -f"]
    for verb, summary in verbs:
        options = options_of(texts[verb])
        flat = " ".join(dict.fromkeys(words_of(texts[verb]) + [n for names, _ in options for n in names]))
        bash.append(f"    {verb}) words='{flat}' ;;")
        zsh.append("        '{}:{}'".format(verb, summary.replace("'", "'\\''").replace(":", "\\:")))
        quoted = summary.replace("'", "\\'")
        fish.append(f"complete -c sluice -n __fish_use_subcommand -f -a {verb} -d '{quoted}'")
        for word in words_of(texts[verb]):
            fish.append(f"complete -c sluice -n '__fish_seen_subcommand_from {verb}' -f -a {word}")
        for flags, what in options:
            switches = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in flags)
            described = what.replace("\\", "").replace("'", "\\'")[:70]
            fish.append(f"complete -c sluice -n '__fish_seen_subcommand_from {verb}' {switches}" + (f" -d '{described}'" if described else ""))
    bash += ["    esac", "    case $word in", "    -*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;",
             "    *) mapfile -t COMPREPLY < <(compgen -W \"${words//--*/}\" -- \"$word\"; compgen -f -- \"$word\") ;;", "    esac", "}", "complete -o filenames -F _sluice sluice"]
    zsh += ["    )", "    if (( CURRENT == 2 )); then", "        _describe verb verbs", "        return", "    fi", "    case ${words[2]} in"]
    for verb, _ in verbs:
        flat = " ".join(dict.fromkeys([n for names, _ in options_of(texts[verb]) for n in names]))
        zsh.append(f"    {verb}) compadd -- {' '.join(words_of(texts[verb]))} {flat} ;;")
    zsh += ["    esac", "    _files", "}", "_sluice \"$@\""]
    for name, lines in (("sluice.bash", bash), ("_sluice", zsh), ("sluice.fish", fish)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
