"""The program: every verb by name. A verb's module loads what is heavy only when it runs."""

import typer

from dynamic.app.cli.acting import approve, cycle, halt, reduce, reject, resume
from dynamic.app.cli.asking import audit, ledger, plan, reconcile, status
from dynamic.app.cli.demo import demo
from dynamic.app.cli.doctor import doctor
from dynamic.app.cli.replay import replay
from dynamic.app.cli.run import run
from dynamic.app.cli.showing import show_config, version

program = typer.Typer(
    name="dynamic",
    help=(
        "Runs an on-chain treasury: observes, proposes, judges, plans, executes, books, measures. "
        "Exit codes: 0 ok, 1 error, 2 usage, 3 denied by policy, 4 approval needed, 5 data unfit."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for verb in (
    demo, run, cycle, replay, status, plan, approve, reject, halt, reduce, resume, ledger,
    reconcile, doctor, version,
):  # fmt: skip
    program.command()(verb)
program.command("show-config")(show_config)
program.add_typer(audit, name="audit")
