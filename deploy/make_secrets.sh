#!/bin/sh
# Makes the two secrets that docker-compose.yml mounts, once; what is there already stays.
#
# The files can be read by whoever can enter the folder, which is its owner: containers are given
# them one by one, and run as users of their own.
set -eu
folder=$(dirname "$0")/secrets
umask 077
mkdir -p "$folder"
for name in secret metrics; do
    file=$folder/$name.key
    [ -e "$file" ] && continue
    # 32 random bytes as URL-safe base64: what Fernet takes as a key.
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' > "$file.new"
    chmod 644 "$file.new"
    mv "$file.new" "$file"
    echo "made $file"
done
