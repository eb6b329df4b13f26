#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packs the built tree: tools/dist.sh FOLDER NAME makes FOLDER/NAME.tar.gz. BUILD holds the build, DIST_EPOCH its time.
set -eu
cd "$(dirname "$0")/.."
folder=$1 name=$2
top=$folder/$name
rm -rf "$top" "$top.tar.gz"
install -D -m 755 "$BUILD/sluice" "$top/bin/sluice"
strip "$top/bin/sluice"
# The runner lies beside the binary, where the binary looks for it.
install -D -m 644 "$BUILD/sluice-runner.jar" "$top/bin/sluice-runner.jar"
tools/man.py --sluice "$BUILD/sluice" --man "$top/share/man/man1" --completions "$top/completions" --version "$VERSION" --epoch "$DIST_EPOCH"
gzip -n9 "$top"/share/man/man1/*.1
install -D -m 644 "$top/completions/sluice.bash" "$top/share/bash-completion/completions/sluice"
install -D -m 644 "$top/completions/_sluice" "$top/share/zsh/site-functions/_sluice"
install -D -m 644 "$top/completions/sluice.fish" "$top/share/fish/vendor_completions.d/sluice.fish"
rm -r "$top/completions"
install -m 644 LICENSE README.md CHANGELOG.md "$top/"
install -D -m 644 tools/sluice.service "$top/lib/systemd/system/sluice.service"
mkdir "$top/examples" "$top/docs"
cp -r examples/. "$top/examples/"
cp -r docs/. "$top/docs/"
find "$top" -type f ! -perm -u+x -exec chmod 644 {} +
find "$top" -type f -perm -u+x -exec chmod 755 {} +
find "$top" -type d -exec chmod 755 {} +
tar --sort=name --mtime="@$DIST_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu -C "$folder" -cf - "$name" | gzip -n9 >"$top.tar.gz.new"
mv "$top.tar.gz.new" "$top.tar.gz"
printf '%s  %s bytes  sha256 %s\n' "$top.tar.gz" "$(stat -c %s "$top.tar.gz")" "$(sha256sum "$top.tar.gz" | cut -d' ' -f1)"
