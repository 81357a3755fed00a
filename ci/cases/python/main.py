import concurrent.futures, csv, datetime, hashlib, json, os, pathlib, socket, sqlite3, subprocess, tempfile, zoneinfo
import shape

JOB, DATA, RESULTS = map(pathlib.Path, ("/srv/report", "/srv/report-data", "/srv/report-results"))

def tried(name, what):
    try:
        print(name, what(), flush=True)
    except OSError:
        print(name, "refused", flush=True)

def total(path):
    with path.open(newline="") as rows:
        return path.stem, sum(int(row["amount"]) for row in csv.DictReader(rows))

config = json.loads((JOB / "config.json").read_text())
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    totals = dict(pool.map(total, sorted(DATA.iterdir())))
database = sqlite3.connect(":memory:")
totals["all"] = database.execute("select sum(value) from json_each(?)", [json.dumps(totals)]).fetchone()[0]
with tempfile.NamedTemporaryFile("w", dir=RESULTS, delete=False) as out:
    json.dump(shape.shaped(config, totals), out)
os.rename(out.name, RESULTS / "totals.json")
day = datetime.datetime.fromtimestamp(0, zoneinfo.ZoneInfo("Europe/Berlin"))
print("day", day.isoformat(), hashlib.sha256(b"").hexdigest()[:8], flush=True)
tried("outside", lambda: pathlib.Path("/srv/other/secret").read_text().strip())
tried("data", lambda: (DATA / "new.csv").write_text(""))
tried("program", lambda: subprocess.run(["/usr/bin/true"]).returncode)
tried("network", lambda: bool(socket.socket()))
