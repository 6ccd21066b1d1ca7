"""Heavy libraries stay at the top, and the inner rooms know almost none at all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.rooms import PACKAGE, PURE_FILES, PURE_ROOMS, imports, short, sources, tree

HEAVY = {"fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic", "psycopg", "web3", "ccxt"}
NUMERIC_ROOMS = {"market", "signals", "decision", "performance", "policy"}


@pytest.mark.req("QT-21")
def test_the_sdk_loads_no_server_database_or_chain_library() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c",
         "import dynamic.trading.algo, json, sys; print(json.dumps(sorted(sys.modules)))"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    assert HEAVY & set(json.loads(loaded.stdout)) == set()


def test_inner_rooms_import_the_standard_library_only() -> None:
    """numpy is the one guest, and only where estimates are made."""
    strangers = []
    for path in [*sources(*PURE_ROOMS), *(PACKAGE / name for name in PURE_FILES)]:
        if not path.exists():
            continue
        guests = {"dynamic"} | ({"numpy"} if short(path).split("/")[0] in NUMERIC_ROOMS else set())
        for line, name in imports(tree(path)):
            root = name.partition(".")[0]
            if root not in guests and root not in sys.stdlib_module_names:
                strangers.append(f"{short(path)}:{line} {name}")
    assert strangers == []
