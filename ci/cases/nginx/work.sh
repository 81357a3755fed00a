# work.sh [LAUNCHER…]: lets nginx do what it is for, and prints one line per question and what came of it.
ip link set lo up
rm -rf /var/lib/nginx/*
: >/run/nginx.pid
"$@" /usr/sbin/nginx -g 'daemon off;' &
master=$!
code() { # CURL'S WORDS…: the answer's code
    curl --silent --output /dev/null --write-out '%{http_code}' --max-time 10 "$@"
}
for try in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(code http://127.0.0.1/)" != 000 ] && break
    kill -0 "$master" 2>/dev/null || break
    sleep 0.3
done
echo "site $(code http://127.0.0.1/)"
echo "site over IPv6 $(code 'http://[::1]/')"
echo "outside $(code http://127.0.0.1/other/page.html)"
head -c 300000 /dev/zero | code --upload-file - http://127.0.0.1/keep >/dev/null
echo "kept $(cat /var/lib/nginx/body/0* 2>/dev/null | wc -c)"
head -c 300000 /dev/zero | code --upload-file - http://127.0.0.1/clean >/dev/null
echo "files $(ls /var/lib/nginx/body | wc -l)"
kill -HUP "$master"
sleep 1
echo "after a reload $(code http://127.0.0.1/)"
echo "number $([ "$(cat /run/nginx.pid)" = "$master" ] && echo its own)"
echo "logged $(grep -c 'GET /other' /var/log/nginx/access.log)"
: >/var/log/nginx/access.log
kill -QUIT "$master"
(sleep 8 && kill -KILL "$master") 2>/dev/null &
wait "$master"
echo "ended $?"
kill "$!"
