"""Ask the feature values in SQL with DuckDB, straight from the catalog's files.

    python duckdb_features.py workspace/catalog romance

Prints, for the attribute's newest scored version, how many assets have each label, and the titles with the most.
"""

import sys

import duckdb

QUERY = """
with scored as (
    select * from read_parquet($files, filename = false)
    where version = (select max(version) from read_parquet($files))
),
assets as (select distinct asset_id, title_id, label, version from scored)
select label, count(*) as assets, count(distinct title_id) as titles, any_value(version) as version
from assets group by label order by assets desc
"""
TOP = """
select title_id, round(avg(probability), 3) as mean_probability, count(*) as images
from read_parquet($files)
where version = $version and class = $class
group by title_id order by mean_probability desc, title_id limit 5
"""


def main(catalog: str, attribute: str) -> None:
    """Query every version's files at once; the version is a column."""
    files = f"{catalog}/features/{attribute}/*/part-*.parquet"
    labels = duckdb.execute(QUERY, {"files": files}).fetchall()
    for label, assets, titles, version in labels:
        print(f"version {version}: {assets} assets of {titles} titles are {label}")
    label, version = labels[0][0], labels[0][3]
    classes = duckdb.execute("select distinct class from read_parquet($files)", {"files": files}).fetchall()
    wanted = label if (label,) in classes else classes[0][0]
    for title, probability, images in duckdb.execute(
        TOP, {"files": files, "version": version, "class": wanted}
    ).fetchall():
        print(f"{title}: {wanted} {probability} over {images} images")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
