#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, once; what is there already stays. After an
# upgrade it writes Redis' users anew with the passwords that are there: restart redis then.
#
# The files can be read by whoever can enter the folder, which is its owner: containers are given
# them one by one, and run as users of their own.
set -eu
here=$(dirname "$0")
folder=$here/secrets
umask 077
mkdir -p "$folder"

# keep FILE: puts what comes in there, unless there is something already.
keep() {
    [ -e "$1" ] && return
    cat > "$1.new"
    chmod 644 "$1.new"
    mv "$1.new" "$1"
    echo "made $1"
}

for name in secret metrics; do
    # 32 random bytes as URL-safe base64: what Fernet takes as a key.
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | keep "$folder/$name.key"
done

# The rules are those that the code needs (maskwatch redis-acl --template); each password goes in
# as its hash.
users=$(cat "$here/redis-users.acl")
for role in $(echo "$users" | sed -n 's/^user \([a-z]*\) on .*/\1/p'); do
    file=$folder/redis-$role.password
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | keep "$file"
    hash=$(tr -d '\n' < "$file" | sha256sum | cut -d ' ' -f 1)
    users=$(echo "$users" | sed "s/#PASSWORD-OF-$role /#$hash /")
done
# In place: a container is given the file itself.
echo "$users" > "$folder/redis-users.acl"
chmod 644 "$folder/redis-users.acl"
