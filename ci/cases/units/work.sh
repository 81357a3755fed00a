# nginx by its unit's command, as it is and under a policy; what systemd says of the unit each time.
install -m 755 /mnt/canc /mnt/canc-run /usr/bin/
ip link set lo up
mkdir -p /run/nginx-test
dropin=/etc/systemd/system/nginx.service.d/zz-canc.conf
verify() { systemd-analyze verify --man=no --recursive-errors=no nginx.service >&2; echo "$1: $?"; }
# Runs the command of a unit's file, and says under which kind of filter nginx's master is.
start() { # WHAT FILE
    command=$(sed -n 's/^ExecStart=\(..*\)/\1/p' "$2")
    touch /run/nginx.pid
    (eval "$command") >&2 || echo "$1: exit code $?"
    sleep 1
    echo "$1: Seccomp $(sed -n 's/^Seccomp:\s*//p' "/proc/$(cat /run/nginx.pid)/status")"
    kill "$(cat /run/nginx.pid)"
    sleep 1
}
find /etc /usr/lib/systemd -printf '%p %m %U %G\n' | sort > /tmp/before
verify "verified before"
start "the unit's own command" /usr/lib/systemd/system/nginx.service
canc apply /mnt/nginx.can --unit nginx.service >&2
echo "applied: $?"
verify verified
start "the drop-in's command" "$dropin"
cp "$dropin" /tmp/kept
sed -i 's,/usr/bin/canc-run,/usr/bin/no-such-program,' "$dropin"
verify "a wrong drop-in is noticed"
cp /tmp/kept "$dropin"
printf '[Service]\nSystemCallFilter=@system-service\n' > /etc/systemd/system/nginx.service.d/more.conf
canc apply /mnt/nginx.can >&2
echo "an incompatible setting is refused: $?"
rm /etc/systemd/system/nginx.service.d/more.conf
canc remove nginx >&2
echo "removed: $?"
find /etc /usr/lib/systemd -printf '%p %m %U %G\n' | sort > /tmp/after
left=$(diff /tmp/before /tmp/after)
echo "left: ${left:-nothing}"
