# work.sh [LAUNCHER…]: lets make build, test and install a program, and prints one line per question and what came of it.
cd /srv/build
rm -rf *.o *.a prog out
echo unchanged >/srv/other/log
# Under SELinux nobody may open a FIFO in a shared directory.
"$@" /usr/bin/make -j2 --jobserver-style=pipe --silent check install
echo "ended $?"
echo "library $(nm lib.a 2>/dev/null | grep -c 'T word')"
echo "installed $(out/bin/prog 2>/dev/null)"
"$@" /usr/bin/make --silent greedy
echo "elsewhere $(cat /srv/other/log)"
"$@" /usr/bin/make --silent clean
echo "left $(ls | tr '\n' ' ')"
echo "temporary files $(ls /tmp | grep -cE '^(cc|Gm)')"
