#!/usr/bin/env bash
# An analyst opens the tables, in an empty folder, with `tally`, DuckDB's shell and a Python with polars on the
# path; no server runs. What each step prints stands in a file of its own; `analyst.system.test.ts` reads them.
set -euo pipefail
tally demo --no-open --data ./demo > demo.txt
data=./demo/shifted

# What is there, how much, how new.
tally catalog --data $data > catalog.txt
tally catalog --data $data --json > catalog.json

# Open the catalog in a shell: the first useful query within a minute.
sql() { duckdb -readonly -json $data/catalog.duckdb "$1"; }
sql "SHOW TABLES" > tables.json
sql "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'windows'" > comments.json
sql "DESCRIBE tenant_cost_daily" > described.json
sql "FROM tenant_cost_daily WHERE day >= TIMESTAMPTZ '2026-03-02' - INTERVAL 7 DAY ORDER BY cost_usd DESC LIMIT 10" > top.json
sql "SELECT date_trunc('hour', window_start) AS hour, hist_quantile(list(duration_hist), 0.95) AS p95_ms
     FROM windows GROUP BY ALL ORDER BY 1" > p95.json
sql "SELECT date_trunc('hour', time) AS hour, quantile_cont(duration_ms, 0.95) AS p95_ms
     FROM events GROUP BY ALL ORDER BY 1" > exact.json

# The same in a database of one's own, by the script.
duckdb mine.duckdb < $data/views.sql
duckdb -readonly -json mine.duckdb "SELECT sum(calls)::INTEGER AS calls FROM tenant_cost_daily" > mine.json

# In Python, by a glob over plain Parquet.
python3 - > polars.json <<'PY'
import json
import polars as pl

events = pl.scan_parquet("demo/shifted/mart/events/**/*.parquet")
by_tenant = events.group_by("tenant").agg(pl.len().alias("calls")).sort("tenant").collect()
print(json.dumps(by_tenant.to_dicts()))
PY

# And without any other tool, at one version, the running hour included.
tally sql "SELECT tenant, count(*)::INTEGER AS calls FROM events GROUP BY tenant ORDER BY tenant" --data $data --json > sql.ndjson
code=0
tally sql "DELETE FROM events" --data $data 2> refused.txt || code=$?
echo $code > refused.code
