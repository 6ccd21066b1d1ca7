"""The options that several verbs share, each with one meaning everywhere."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Write the answer as JSON on stdout.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings in TOML; dynamic.toml here, if present.")
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the treasury keeps its files.")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="sqlite:///file or postgresql://...", show_default=False),
]
MandateFile = Annotated[
    Path | None, typer.Option("--mandate", help="The mandate; without it the one shipped.")
]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.")]
By = Annotated[str, typer.Option("--by", help="Who you are.")]
People = Annotated[list[str], typer.Option("--by", help="A person; give it once for each.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept for ever.")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="File with your API token; or set DYNAMIC__TOKEN."),
]
