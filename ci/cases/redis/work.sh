# work.sh [LAUNCHER…]: lets redis-server do what it is for, and prints one line per question and what came of it.
ip link set lo up
data=/var/lib/redis
conf=/etc/redis/redis.conf
rm -rf $data/* /var/log/redis/* /run/redis
mkdir /run/redis
chown redis:redis /run/redis
# As the unit's manager labels it.
selinuxenabled && restorecon /run/redis
[ -e /srv/redis.conf ] || cp $conf /srv/redis.conf
cat /srv/redis.conf >$conf
start() { # LAUNCHER…: as its unit does
    setpriv --reuid redis --regid redis --clear-groups "$@" /usr/bin/redis-server $conf --daemonize no &
    server=$!
    for try in {1..40}; do
        [ "$(ask ping)" = PONG ] && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.3
    done
}
ask() {
    timeout 10 redis-cli "$@" 2>&1 | tr -d '\r' | tr '\n' ' ' | sed 's/ *$//'
}
until_done() { # WHAT: a child is told of by a timer
    for try in {1..40}; do
        ask info persistence | grep -q "$1:0" && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.3
    done
}
finish() { # WORD…: asks it to end; what does not is ended
    ask shutdown "$@" >/dev/null
    (sleep 20 && kill -KILL "$server") 2>/dev/null &
    wait "$server"
    echo "ended $?"
    kill "$!"
}
start "$@"
echo "set $(ask set word kept)"
echo "over IPv6 $(ask -h ::1 get word)"
echo "queue $(seq 500 | sed 's/^/RPUSH many /' | ask --pipe | grep -o 'replies: 500')"
echo "script $(ask eval 'return redis.call("llen", "many")' 0)"
echo "saved $(ask save) $(stat --format=%U $data/dump.rdb)"
echo "child $(ask bgsave)"
until_done rdb_bgsave_in_progress
echo "by a child $(ask info persistence | grep -o rdb_last_bgsave_status:ok)"
echo "every change $(ask config set appendonly yes)"
until_done aof_rewrite_in_progress
echo "in files $(ls $data/appendonlydir 2>/dev/null | wc -l)"
echo "its configuration $(ask config rewrite)"
echo "number $([ "$(cat /run/redis/redis-server.pid)" = "$server" ] && echo its own)"
echo "logged $(grep -c 'Ready to accept' /var/log/redis/redis-server.log)"
finish
echo "number $(ls /run/redis)"
start "$@"
echo "again $(ask get word) $(ask llen many)"
finish nosave
