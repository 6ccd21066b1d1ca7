"""The program: every verb by name. A verb's module loads what is heavy only when it runs."""

import typer

from dynamic.app.cli.demo import demo

program = typer.Typer(
    name="dynamic",
    help="Runs an on-chain treasury: observes, proposes, judges, plans, executes, books, measures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

program.command()(demo)


@program.callback()
def _verbs() -> None:
    """Runs an on-chain treasury. Exit codes: 0 ok, 1 error, 2 usage, 3 denied, 4 approval needed, 5 data unfit."""
