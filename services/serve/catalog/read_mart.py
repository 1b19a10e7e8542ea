"""Reads the analyst's files with pyarrow and polars and prints what each saw, as JSON."""
import json
import sys
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

mart = Path(sys.argv[1])
seen = {}
for name in ("events", "windows"):
    files = sorted(str(file) for file in mart.glob(f"{name}/**/*.parquet"))
    frame = pl.scan_parquet(files)
    arrow = [pq.read_table(file) for file in files]
    seen[name] = {
        "files": len(files),
        "pyarrow": sum(table.num_rows for table in arrow),
        "polars": frame.select(pl.len()).collect().item(),
        "columns": arrow[0].column_names,
        "cost_pico": str(sum(sum(v or 0 for v in t["cost_pico"].to_pylist()) for t in arrow))
        if "cost_pico" in arrow[0].column_names
        else None,
        "polars_cost_pico": str(frame.select(pl.col("cost_pico").sum()).collect().item())
        if "cost_pico" in arrow[0].column_names
        else None,
    }
print(json.dumps(seen))
