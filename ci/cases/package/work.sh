# The package on Debian 13: installed, upgraded, removed, installed again, purged; with an applied policy on the way.
# The root file system leaves manuals and documents out; a clean Debian does not.
rm -f /etc/dpkg/dpkg.cfg.d/99mmdebstrap
mkdir -p /srv/x /srv/other
echo 'permitted words' > /srv/x/notes
echo 'refused words' > /srv/other/notes
everything() { find / -xdev \( -path /proc -o -path /mnt -o -path /tmp -o -path /var/lib/dpkg -o -path /var/log \) -prune -o \( -type d -printf '%p %m %U %G\n' -o -printf '%p %m %U %G %s\n' \) | grep -v '^/var/cache\|^/var/lib ' | sort; }
refused() { canc-run cat -- /usr/bin/cat /srv/other/notes >&2; echo "$1: $?"; }
everything > /tmp/before
dpkg --install /mnt/canc.deb >&2
echo "installed: $?"
dpkg --verify canc
echo "files as packaged: $?"
canc --version
canc-run --version
echo "pages: $(for page in canc.1 canc-apply.1 canc.5; do
    zcat "/usr/share/man/man${page##*.}/$page.gz" | grep -q '^\.TH' && echo "$page"
done | xargs)"
echo "completes: $(bash -c '. /usr/share/bash-completion/completions/canc; COMP_WORDS=(canc app); COMP_CWORD=1; _canc canc app canc; echo "${COMPREPLY[*]}"')"
echo "static: $(for program in canc canc-run canc-probe; do
    /lib64/ld-linux-x86-64.so.2 --verify "/usr/bin/$program" > /dev/null 2>&1 || echo $program
done | xargs)"
canc check /usr/share/doc/canc/examples/nginx.can >&2
echo "checked: $?"
sed 's/exec "\/usr\/bin\/cat";/& tolerate files, file_attributes, sockets, unix_sockets, signals, ptrace, udp because "a test";/' \
    /usr/share/doc/canc/examples/cat.can > /tmp/cat.can
canc apply /tmp/cat.can >&2
echo "applied: $?"
canc-run cat -- /usr/bin/cat /srv/x/notes
refused "another file"
dpkg --install /mnt/next.deb >&2
echo "upgraded: $?"
echo "version: $(dpkg-query --show --showformat '${Version}' canc)"
canc status >&2
echo "still installed: $?"
refused "still refused"
dpkg --remove canc >&2
echo "removed: $?"
left=$(ls /etc/apparmor.d/canc.* /etc/systemd/system/*.d/zz-canc.conf 2> /dev/null)
echo "profiles and units left: ${left:-nothing}"
dpkg --install /mnt/canc.deb >&2
canc rollback >&2
echo "back: $?"
refused "refused again"
dpkg --purge canc >&2
echo "purged: $?"
everything > /tmp/after
left=$(diff /tmp/before /tmp/after)
echo "left: ${left:-nothing}"
