"""Read feature values into pandas, from the catalog's files or over HTTP, one column a class.

    python pandas_features.py workspace/catalog/features/romance/12
    ATTUNE_TOKEN=… python pandas_features.py http://127.0.0.1:8700/api/v1/features/romance/champion

Prints the assets whose two likeliest classes are closest: those worth a second look.
"""

import io
import os
import sys
import urllib.request

import numpy as np
import pandas as pd


def read(source: str) -> pd.DataFrame:
    """The feature values at a folder or address; the token goes to the address alone."""
    if not source.startswith(("http://", "https://")):
        return pd.read_parquet(source)
    request = urllib.request.Request(source, headers={"Authorization": f"Bearer {os.environ['ATTUNE_TOKEN']}"})
    with urllib.request.urlopen(request) as response:
        return pd.read_parquet(io.BytesIO(response.read()))


def main(source: str) -> None:
    """Pivot to one row an asset and sort by the margin."""
    wide = read(source).pivot(index="asset_id", columns="class", values="probability")
    if wide.shape[1] == 1:  # two classes: the values are the first one's
        margin = (2 * wide.iloc[:, 0] - 1).abs()
    else:
        ordered = np.sort(wide.to_numpy(), axis=1)
        margin = pd.Series(ordered[:, -1] - ordered[:, -2], index=wide.index)
    print(f"{len(wide)} assets, classes {', '.join(wide.columns)}")
    print(wide.loc[margin.sort_values().index[:5]].round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1])
