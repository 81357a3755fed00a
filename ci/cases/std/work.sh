# work.sh LAUNCHER… BUNDLE: runs programs under each fragment of the standard library, and prints a line for each.
ip link set lo up
bundle=${*: -1}
launcher=("${@:1:$#-1}")
ask() { # NAME POLICY WORDS…: how it ended and what it said, on one line
    name=$1 policy=$2
    shift 2
    said=$("${launcher[@]}" "$bundle" --policy "$policy" -- "$@" 2>&1)
    echo "$name $?" $said
}

ask static minimal /usr/bin/busybox echo words
ask signals minimal /usr/bin/busybox sh -c 'trap "echo trapped" USR1; kill -USR1 $$; echo $((6 * 7))'
ask clock minimal /usr/bin/busybox date -u -d @0 +%Y
ask 'no files' minimal /usr/bin/busybox cat /etc/hostname
ask musl musl /usr/lib/x86_64-linux-musl/libc.so

ask date base /usr/bin/date -u -d @0 +%Y
ask users base /usr/bin/id -un
ask processors base /usr/bin/nproc --ignore=1000
ask memory base /usr/bin/free -t
ask children base /usr/bin/perl -e 'pipe R, W; if (!fork) { close R; print W "told"; exit 3 } close W; print <R>; wait; print $? >> 8'
ask time base /usr/bin/perl -e '$SIG{ALRM} = sub { print "rang" }; alarm 1; select undef, undef, undef, 5; print scalar localtime 0'
ask shell base /usr/bin/bash --norc -c 'trap "echo trapped" USR1; kill -USR1 $$; (exit 3); echo $?; echo x >/dev/null'
ask threads base /usr/bin/sort --parallel=2 /dev/null
ask 'no file of others' base /usr/bin/cat /etc/hostname

ask 'a file' temporary /usr/bin/perl -e 'use Fcntl ":flock"; my $f = "/tmp/x$$"; open F, ">$f" or die; flock F, LOCK_EX or die $!;
    print F "one "; close F; open F, ">>$f" or die $!; print F "two"; close F; chmod 0600, $f or die $!; open F, $f or die $!; print <F>;
    close F; opendir D, "/tmp" or die $!; print grep(/^x$$/, readdir D) + 0; unlink $f or die $!'
ask 'a directory' temporary /usr/bin/perl -e 'mkdir "/tmp/d$$" or die $!; rmdir "/tmp/d$$" or die $!; print "gone"'

export HOME=/root
twice() { # NAME POLICY WORDS…: under this policy, and under std.base alone
    ask "$@"
    ask "no $1" base "${@:3}"
}
twice python python /usr/bin/python3.13 -c 'import bz2, hashlib, json, sqlite3, ssl; print(hashlib.new("md5").hexdigest()[:4])'
twice certificate secure /usr/bin/openssl verify /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt
twice settings secure /usr/bin/openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout /dev/null -out /dev/null
twice languages languages /usr/bin/locale -a
twice zones languages /usr/bin/perl -e 'opendir D, "/usr/share/zoneinfo/Europe" or die $!; print grep /Berlin/, readdir D'
mkdir -p /var/log/program
twice lines logs /usr/bin/perl -e 'for (1, 2) { open F, ">>/var/log/program/a.log" or die $!; print F "line "; close F } print -s "/var/log/program/a.log"'
twice pipes scripts /usr/bin/perl -e 'print `echo a b | sed "s/a/cc/" | tr a-z A-Z`'
mkdir -p /srv/source
printf 'int word(void);\nint main(void) { return word(); }\n' >/srv/source/main.c
printf 'int word(void) { return 42; }\n' >/srv/source/word.c
printf 'all: prog\n\t@./prog; echo "told $$?"\nprog: main.o lib.a\n\t@cc -o $@ main.o lib.a\nlib.a: word.o\n\t@ar rcs $@ word.o\n' >/srv/source/Makefile
twice make tools /usr/bin/make -j2 -s -C /srv/source

[ -e /dev/ptmx ] || { mkdir -p /dev/pts; mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts; ln -s pts/ptmx /dev/ptmx; }
[ -e /dev/tty ] || mknod -m 666 /dev/tty c 5 0
ask terminfo terminal /usr/bin/tput -T xterm colors
echo "terminal $(TERM=xterm script --quiet --command "stty rows 30 cols 70; ${launcher[*]} $bundle --policy terminal -- /usr/bin/stty -F /dev/tty size" \
    /dev/null </dev/null | tr -d '\r')"

echo 'nameserver 127.0.0.1' >/etc/resolv.conf
python3 - <<'SERVER' &
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    asked, who = server.recvfrom(512)
    end = asked.index(b"\0", 12) + 5
    four = asked[end - 3] == 1
    answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07" if four else b""
    head = asked[:2] + b"\x81\x80\0\x01" + (b"\0\x01" if four else b"\0\0") + b"\0\0\0\0"
    server.sendto(head + asked[12:end] + answer, who)
SERVER
dns=$!
python3 - <<'SERVER' &
import os, socket
if os.path.exists("/dev/log"): os.unlink("/dev/log")
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("/dev/log")
print("heard", server.recv(1000).decode()[-6:], flush=True)
SERVER
log=$!
for try in 1 2 3 4 5 6 7 8 9 10; do
    [ -S /dev/log ] && getent ahosts name.test >/dev/null && break
    sleep 0.5
done
ask 'a name' names /usr/bin/getent ahosts name.test
ask 'a service' names /usr/bin/getent services https
ask log service /usr/bin/logger --socket-errors=on it is told
wait "$log"
ask user service /usr/bin/perl -e 'use POSIX (); POSIX::setgid(33) or die $!; POSIX::setuid(33) or die $!; print "$< $>"; setpriority(0, 0, 5) or die $!'
kill "$dns"
