# work.sh [LAUNCHER…]: lets bubblewrap build sandboxes, and prints one line per question and what came of it.
sandbox() { # NAME WORDS…: what the program inside says, and how it ended
    name=$1
    shift
    said=$("${launcher[@]}" /usr/bin/bwrap --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
        --ro-bind /srv /srv --proc /proc --dev /dev --unshare-all --die-with-parent "$@" 2>&1)
    echo "$name $? $said"
}
launcher=("$@")
sandbox inside /usr/bin/cat /srv/x/permitted
sandbox number /usr/bin/sh -c 'echo $$'
sandbox devices /usr/bin/sh -c 'head -c 3 /dev/zero | tr "\0" z'
sandbox outside /usr/bin/cat /srv/other/refused
sandbox host /usr/bin/ls /etc
"${launcher[@]}" /usr/bin/bwrap --bind / / /usr/bin/true 2>/dev/null
echo "everything $?"
