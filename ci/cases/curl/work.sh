# work.sh [LAUNCHER…]: lets curl fetch from a server of our own, and prints one line per question and what came of it.
ip link set lo up
export HOME=/root
mkdir -p /run/server
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout /run/server/key -out /etc/ssl/certs/server.pem 2>/dev/null
cat >/run/server/conf <<'CONF'
pid /run/server/pid;
error_log /dev/null;
events {}
http {
	access_log off;
	server {
		listen 80; listen [::]:80; listen 8080; listen 443 ssl; listen [::]:443 ssl;
		ssl_certificate /etc/ssl/certs/server.pem;
		ssl_certificate_key /run/server/key;
		root /var/www/html;
	}
}
CONF
nginx -c /run/server/conf
rm -rf /srv/downloads/*
fetch() { # NAME CURL'S WORDS…
    name=$1
    shift
    "${launcher[@]}" /usr/bin/curl --silent --max-time 20 --output "/srv/downloads/$name" "$@"
    echo "$name $? $(cat "/srv/downloads/$name" 2>/dev/null)"
}
launcher=("$@")
fetch plain http://localhost/page
fetch secure --cacert /etc/ssl/certs/server.pem https://localhost/page
fetch unknown https://localhost/page
fetch plain http://localhost/other
fetch port http://localhost:8080/page
fetch file file:///srv/other/page
echo "user-agent = told" >"$HOME/.curlrc"
echo "options $("${launcher[@]}" /usr/bin/curl --silent --max-time 20 --verbose http://localhost/page 2>&1 | grep -c 'User-Agent: told')"
rm "$HOME/.curlrc"
kill "$(cat /run/server/pid)"
